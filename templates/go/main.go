package main

import (
	"fmt"
	"sync"
)

// collatz counts the steps from n down to 1.
func collatz(n int) int {
	steps := 0
	for ; n != 1; steps++ {
		if n%2 == 0 {
			n /= 2
		} else {
			n = 3*n + 1
		}
	}
	return steps
}

func main() {
	work := make(chan int)
	best := struct {
		sync.Mutex
		n, steps int
	}{}
	var workers sync.WaitGroup
	for i := 0; i < 4; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n := range work {
				steps := collatz(n)
				best.Lock()
				if steps > best.steps {
					best.n, best.steps = n, steps
				}
				best.Unlock()
			}
		}()
	}
	for n := 1; n <= 100_000; n++ {
		work <- n
	}
	close(work)
	workers.Wait()
	fmt.Printf("%d takes %d steps, more than any other below 100,000\n", best.n, best.steps)
}
