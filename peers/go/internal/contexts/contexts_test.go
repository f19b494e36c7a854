package contexts

import (
	"errors"
	"testing"
)

// counter makes contexts that are numbers and notes those that ended.
func counter(ended *[]int) *Pool[int] {
	made := 0
	return New(
		func() (int, error) { made++; return made, nil },
		func(n int) error { *ended = append(*ended, n); return nil },
	)
}

func take(t *testing.T, pool *Pool[int], name string) *Lease[int] {
	t.Helper()
	lease, err := pool.Take(name)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

func TestANamedContextIsSharedAndEndsWithItsLastUser(t *testing.T) {
	var ended []int
	pool := counter(&ended)
	a, b := take(t, pool, "c"), take(t, pool, "c")
	if a != b || pool.Open() != 1 {
		t.Fatalf("not shared: %v, %v", a, b)
	}
	_ = pool.Release(a)
	if len(ended) != 0 || pool.Open() != 1 {
		t.Fatal("ended early")
	}
	_ = pool.Release(b)
	if len(ended) != 1 || pool.Open() != 0 {
		t.Fatal("did not end")
	}
	if c := take(t, pool, "c"); c.Context != 2 {
		t.Fatal("an ended context came back")
	}
}

func TestAContextWithoutANameIsNotShared(t *testing.T) {
	pool := counter(new([]int))
	if a, b := take(t, pool, ""), take(t, pool, ""); a == b || pool.Open() != 2 {
		t.Fatal("shared")
	}
}

func TestANameIsFreeWhileItsContextEnds(t *testing.T) {
	var pool *Pool[int]
	made := 0
	pool = New(
		func() (int, error) { made++; return made, nil },
		func(n int) error {
			if n == 1 && take(t, pool, "c").Context != 2 {
				t.Error("got the context that is ending")
			}
			return nil
		},
	)
	_ = pool.Release(take(t, pool, "c"))
	if pool.Open() != 1 {
		t.Errorf("open: %d", pool.Open())
	}
}

func TestAContextThatCannotBeginIsNotCounted(t *testing.T) {
	broken := errors.New("broken")
	pool := New(func() (int, error) { return 0, broken }, func(int) error { return nil })
	if _, err := pool.Take("c"); !errors.Is(err, broken) || pool.Open() != 0 {
		t.Errorf("got %v", err)
	}
}

func TestAContextBegunForNobodyEndsWithItsLastUserOrThePool(t *testing.T) {
	ended := 0
	pool := New(func() (int, error) { return 1, nil }, func(int) error { ended++; return nil })
	if _, ok := pool.Find("c"); ok {
		t.Error("found what never began")
	}
	for range 2 {
		if _, err := pool.Begin("c"); err != nil {
			t.Fatal(err)
		}
	}
	lease, _ := pool.Take("c")
	if found, ok := pool.Find("c"); !ok || found != lease || pool.Open() != 1 {
		t.Errorf("found %v, %d open", found, pool.Open())
	}
	_ = pool.Close() // c is in use
	if err := pool.Release(lease); err != nil || ended != 1 {
		t.Errorf("ended %d, %v", ended, err)
	}
	_, _ = pool.Begin("d")
	if err := pool.Close(); err != nil || ended != 2 || pool.Open() != 0 {
		t.Errorf("ended %d, open %d, %v", ended, pool.Open(), err)
	}
}
