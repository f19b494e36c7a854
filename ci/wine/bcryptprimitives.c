/* What Wine 8 lacks of bcryptprimitives.dll: the one function that Go's runtime asks for before main. */
#include <windows.h>
#include <ntsecapi.h> /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
    for (SIZE_T done = 0; done < size;) {
        ULONG part = size - done < 65536 ? (ULONG)(size - done) : 65536;
        if (!RtlGenRandom(data + done, part)) return FALSE;
        done += part;
    }
    return TRUE;
}
