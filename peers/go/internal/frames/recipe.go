package frames

import (
	"crypto/sha256"
	"fmt"
)

// MaxSize is the largest frame that a recipe may ask for, in bytes.
const MaxSize = 268_435_456

// blockSize is prime, so that chunks swapped at any power of two change the digest.
const blockSize = 4099

// Recipe makes the frame {"size": size, "seed": seed} (section 2 of the contract). The seed is an
// integer in decimal.
func Recipe(size int, seed string) []byte {
	frame := make([]byte, 0, max(size, blockSize+sha256.Size))
	for i := 0; len(frame) < min(size, blockSize); i++ {
		digest := sha256.Sum256(fmt.Appendf(nil, "%s:%d", seed, i))
		frame = append(frame, digest[:]...)
	}
	if size <= blockSize {
		return frame[:size]
	}
	// Whole blocks double until the frame is full.
	frame = frame[:size]
	for filled := blockSize; filled < size; filled *= 2 {
		copy(frame[filled:], frame[:filled])
	}
	return frame
}
