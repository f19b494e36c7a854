/* A closed loop of REQ and REP on libzmq itself: what a round trip costs without a peer around it.
 *
 *   lat echo COUNT             binds to a port on 127.0.0.1, prints the endpoint, answers COUNT requests
 *   lat ping ENDPOINT COUNT SIZE WARMUP    prints the mean round trip of COUNT requests in ns
 *
 * The method is that of libzmq's own local_lat and remote_lat: one request on its way at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

static int fail(const char *what)
{
    fprintf(stderr, "lat: %s: %s\n", what, zmq_strerror(zmq_errno()));
    return 1;
}

static int echo(void *socket, long count)
{
    char endpoint[256];
    size_t length = sizeof endpoint;
    if (zmq_bind(socket, "tcp://127.0.0.1:*") || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &length))
        return fail("bind");
    puts(endpoint);
    fflush(stdout);
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (count--)
        if (zmq_msg_recv(&message, socket, 0) < 0 || zmq_msg_send(&message, socket, 0) < 0)
            return fail("echo");
    return 0;
}

static int ping(void *socket, const char *endpoint, long count, size_t size, long warmup)
{
    struct timespec begin = {0}, end;
    char *body = calloc(1, size);
    if (!body || zmq_connect(socket, endpoint))
        return fail("connect");
    for (long turn = -warmup; turn < count; turn++) {
        if (turn == 0)
            clock_gettime(CLOCK_MONOTONIC, &begin);
        if (zmq_send(socket, body, size, 0) < 0 || zmq_recv(socket, body, size, 0) != (int) size)
            return fail("ping");
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.1f\n", ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / count);
    free(body);
    return 0;
}

int main(int argc, char **argv)
{
    int echoes = argc == 3 && !strcmp(argv[1], "echo");
    if (!echoes && !(argc == 6 && !strcmp(argv[1], "ping"))) {
        fputs("usage: lat echo COUNT | lat ping ENDPOINT COUNT SIZE WARMUP\n", stderr);
        return 2;
    }
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, echoes ? ZMQ_REP : ZMQ_REQ);
    int patience = 10000;
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    int code = echoes ? echo(socket, atol(argv[2]))
                      : ping(socket, argv[2], atol(argv[3]), (size_t) atol(argv[4]), atol(argv[5]));
    zmq_close(socket);
    zmq_ctx_term(context);
    return code;
}
