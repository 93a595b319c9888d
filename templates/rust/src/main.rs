//! The sieve of Eratosthenes.

fn primes(below: usize) -> Vec<usize> {
    let mut is_prime = vec![true; below.max(2)];
    is_prime[..2].fill(false);
    let mut at = 2;
    while at * at < below {
        if is_prime[at] {
            for multiple in (at * at..below).step_by(at) {
                is_prime[multiple] = false;
            }
        }
        at += 1;
    }
    (0..below).filter(|&number| is_prime[number]).collect()
}

fn main() {
    let found = primes(10_000_000);
    println!("{} primes below ten million", found.len());
    println!("the last one is {}", found[found.len() - 1]);
}

#[cfg(test)]
mod tests {
    use super::primes;

    #[test]
    fn the_first_ones() {
        assert_eq!(primes(12), [2, 3, 5, 7, 11]);
    }
}
