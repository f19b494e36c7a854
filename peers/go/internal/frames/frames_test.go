package frames

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

func TestRecipeMakesTheBytesOfTheContract(t *testing.T) {
	if got := hex.EncodeToString(Recipe(8, "7")); got != "f5ff61d7b533cd73" {
		t.Errorf("8 bytes of seed 7: %s", got)
	}
	digest := sha256.Sum256(Recipe(100_000, "7"))
	if got := hex.EncodeToString(digest[:]); got != "a688504d6d6c34ef98b79dd89db85a755c7cdc399ccf8626c51454173a1469e4" {
		t.Errorf("100000 bytes of seed 7: %s", got)
	}
}

func TestRecipeRepeatsItsBlock(t *testing.T) {
	block := Recipe(blockSize, "3")
	for _, size := range []int{0, 1, 32, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize, 5*blockSize + 7} {
		want := bytes.Repeat(block, size/blockSize+1)[:size]
		if !bytes.Equal(Recipe(size, "3"), want) {
			t.Errorf("size %d", size)
		}
	}
}

func TestFrameOfARequest(t *testing.T) {
	for raw, want := range map[string]string{
		`"héllo"`:                 "héllo",
		`""`:                      "",
		`"\u0000\n"`:              "\x00\n",
		`"\ud83d\ude00"`:          "😀",
		`"\ufffd \uFFFD �"`:       "� � �",
		`{"base64": "/w=="}`:      "\xff",
		`{"base64": ""}`:          "",
		`{"size": 0, "seed": 1}`:  "",
		`{"seed": 7, "size": 4}`:  "\xf5\xff\x61\xd7",
		`{"size": 4, "seed": -1}`: string(Recipe(4, "-1")),
		`{"size": 4, "seed": 1234567890123456789012}`: string(Recipe(4, "1234567890123456789012")),
		`{"size": 4, "seed": -0}`:                     string(Recipe(4, "0")),
		`{"size": 8, "seed": 7}  `:                    "\xf5\xff\x61\xd7\xb5\x33\xcd\x73",
	} {
		var frame Frame
		if err := frame.UnmarshalJSON([]byte(raw)); err != nil {
			t.Errorf("%s: %v", raw, err)
		} else if got := string(frame.Bytes()); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

func TestFrameThatIsNone(t *testing.T) {
	for _, raw := range []string{
		`1`, `null`, `true`, `[]`, `{}`, `"\ud800"`, `"\udc00x"`, `{"base64": 1}`, `{"base64": null}`,
		`{"base64": "/w="}`, `{"base64": "/x=="}`, `{"base64": "/w==\n"}`, `{"base64": "_w=="}`, `{"Base64": ""}`,
		`{"base64": "", "size": 1}`, `{"size": 1}`, `{"seed": 1}`, `{"size": -1, "seed": 1}`,
		`{"size": 268435457, "seed": 1}`, `{"size": 1.5, "seed": 1}`, `{"size": null, "seed": 1}`,
		`{"size": 1, "seed": null}`, `{"size": 1, "seed": "7"}`, `{"size": 1, "seed": 1.0}`, `{"size": 1, "seed": 1e3}`, `{"size": 1, "seed": 1, "x": 1}`,
	} {
		if err := new(Frame).UnmarshalJSON([]byte(raw)); err == nil {
			t.Errorf("%s is taken for a frame", raw)
		}
	}
}

func TestFrameOfAResponse(t *testing.T) {
	for _, c := range []struct {
		frame  string
		inline int
		want   string
	}{
		{"", 1024, `""`},
		{"text", 4, `"text"`},
		{"text", 3, `{"size":4,"sha256":"982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1"}`},
		{"\xff", 1024, `{"base64":"/w=="}`},
		{"\xed\xa0\x80", 1024, `{"base64":"7aCA"}`}, // a surrogate is not UTF-8
		{"", 0, `""`},
		{"", -1, `{"size":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`},
	} {
		got, err := json.Marshal(Encode([]byte(c.frame), c.inline))
		if err != nil || string(got) != c.want {
			t.Errorf("%q: %s, want %s", c.frame, got, c.want)
		}
	}
}

func BenchmarkRecipe(b *testing.B) {
	for b.Loop() {
		Recipe(1<<20, "1")
	}
}

func FuzzText(f *testing.F) {
	f.Add("plain")
	f.Add(`a\b"c` + "\x00�")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		raw, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Text(raw); err != nil || got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	})
}
