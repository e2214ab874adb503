//! The cache of `autojit` under races, recursion, errors and panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock, mpsc};
use std::time::Duration;

use autojit::{Array, Jit, autojit, numpy as np};

type Boxed = Jit<Array, Array, Box<dyn Fn(Array) -> Array + Send + Sync>>;

fn vec(x: &Array) -> Vec<f64> {
    x.to_vec::<f64>().unwrap()
}

/// Fails, instead of hanging for ever, if `f` does.
fn within_a_minute<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(f()));
    let result = receiver.recv_timeout(Duration::from_secs(60));
    result.expect("deadlock, or a panic in the test's thread")
}

#[test]
fn sixteen_threads_compile_one_signature_once() {
    let runs = AtomicUsize::new(0);
    let barrier = Barrier::new(16);
    let f = autojit(|x: Array| {
        runs.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(50));
        x + 1.0
    });
    std::thread::scope(|scope| {
        for i in 0..16 {
            let (f, barrier) = (&f, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let result = f.call(Array::from([f64::from(i)])).unwrap();
                assert_eq!(vec(&result), [f64::from(i) + 1.0]);
            });
        }
    });
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert_eq!((f.misses(), f.hits(), f.compiled()), (1, 15, 1));
}

#[test]
fn another_signature_is_not_held_up() {
    within_a_minute(|| {
        let (started, is_started) = mpsc::channel();
        let (finish, may_finish) = mpsc::channel::<()>();
        let may_finish = std::sync::Mutex::new(may_finish);
        let f = autojit(move |x: Array| {
            if x.len().unwrap() == 1 {
                started.send(()).unwrap();
                may_finish.lock().unwrap().recv().unwrap();
            }
            x + 1.0
        });
        std::thread::scope(|scope| {
            let slow = scope.spawn(|| f.call(Array::from([1.0])).unwrap());
            is_started.recv().unwrap();
            // The first one is in the middle of its trace.
            assert_eq!(vec(&f.call(Array::from([1.0, 2.0])).unwrap()), [2.0, 3.0]);
            assert_eq!(f.compiled(), 1);
            finish.send(()).unwrap();
            assert_eq!(vec(&slow.join().unwrap()), [2.0]);
        });
        assert_eq!(f.compiled(), 2);
    });
}

#[test]
fn a_panic_leaves_nothing_behind() {
    let panics = AtomicBool::new(true);
    let f = autojit(|x: Array| {
        assert!(!panics.load(Ordering::Relaxed), "as planned");
        x + 1.0
    });
    let x = Array::from([1.0]);
    for _ in 0..2 {
        let caught = catch_unwind(AssertUnwindSafe(|| f.call(&x)));
        let message = caught.err().unwrap();
        assert_eq!(message.downcast_ref::<&str>(), Some(&"as planned"));
        assert_eq!(f.compiled(), 0);
    }
    panics.store(false, Ordering::Relaxed);
    assert_eq!(vec(&f.call(&x).unwrap()), [2.0]);
    assert_eq!((f.compiled(), f.misses(), f.hits()), (1, 3, 0));
}

#[test]
fn those_who_wait_for_a_panic_try_for_themselves() {
    let first = AtomicBool::new(true);
    let barrier = Barrier::new(4);
    let f = autojit(|x: Array| {
        std::thread::sleep(Duration::from_millis(20));
        assert!(!first.swap(false, Ordering::Relaxed), "as planned");
        x + 1.0
    });
    let failures = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                barrier.wait();
                match catch_unwind(AssertUnwindSafe(|| f.call(Array::from([1.0])))) {
                    Ok(result) => assert_eq!(vec(&result.unwrap()), [2.0]),
                    Err(_) => {
                        failures.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(failures.load(Ordering::Relaxed), 1);
    assert_eq!(f.misses(), 2);
}

#[test]
fn an_error_leaves_nothing_behind() {
    let f = autojit(|(x, y): (Array, Array)| x + y);
    let (x, y) = (Array::from([1.0; 3]), Array::from([1.0; 4]));
    for _ in 0..2 {
        assert!(f.call((&x, &y)).unwrap_err().is_shape());
    }
    assert_eq!((f.misses(), f.compiled()), (2, 0));
    f.call((&x, &x)).unwrap();
    assert_eq!(f.compiled(), 1);
}

/// While a signature is traced, its own closure may need it.
#[test]
fn a_function_may_call_itself_with_arrays_while_it_is_traced() {
    within_a_minute(|| {
        let itself: Arc<OnceLock<Boxed>> = Arc::default();
        let depth = Arc::new(AtomicUsize::new(0));
        let inner = (itself.clone(), depth.clone());
        let f: Boxed = autojit(Box::new(move |x: Array| {
            let (itself, depth) = &inner;
            if depth.fetch_add(1, Ordering::Relaxed) >= 2 {
                return x + 1.0;
            }
            let constant = itself.get().unwrap().call(Array::from([10.0])).unwrap();
            x + constant
        }));
        let f = itself.get_or_init(|| f);
        // 1 + (10 + (10 + 1)), the inner two run as they are.
        assert_eq!(vec(&f.call(Array::from([1.0])).unwrap()), [22.0]);
        assert_eq!((f.misses(), f.compiled()), (1, 1));
    });
}

/// Two threads, each in the middle of a trace that needs what the other one traces.
#[test]
fn threads_that_would_wait_for_each_other_do_not() {
    within_a_minute(|| {
        let functions: Arc<[OnceLock<Boxed>; 2]> = Arc::default();
        let barrier = Arc::new(Barrier::new(2));
        let runs = Arc::new(AtomicUsize::new(0));
        for this in 0..2 {
            let captured = (functions.clone(), barrier.clone(), runs.clone());
            let f: Boxed = autojit(Box::new(move |x: Array| {
                let (functions, barrier, runs) = &captured;
                // The first run of each waits until both are being traced; later runs are the way out.
                if runs.fetch_add(1, Ordering::Relaxed) >= 2 {
                    return x + 1.0;
                }
                barrier.wait();
                let other = functions[1 - this].get().unwrap();
                x + other.call(Array::from([10.0])).unwrap()
            }));
            assert!(functions[this].set(f).is_ok());
        }
        let results = std::thread::scope(|scope| {
            let call = |i: usize| {
                let functions = &functions;
                scope.spawn(move || functions[i].get().unwrap().call(Array::from([1.0])))
            };
            [call(0), call(1)].map(|thread| vec(&thread.join().unwrap().unwrap())[0])
        });
        // One of them ran the other's closure as it is: 1 + (10 + 1). The other then had compiled code for
        // its call: 1 + (10 + 11).
        let mut results = results.map(|x| x as i64);
        results.sort_unstable();
        assert_eq!(results, [12, 22]);
    });
}

#[test]
fn clearing_while_others_call_is_safe() {
    let f = autojit(|x: Array| np::sum(x * 2.0, ..));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 1..50 {
                    let result = f.call(Array::from(vec![1.0; n % 5 + 1])).unwrap();
                    assert_eq!(vec(&result), [2.0 * (n % 5 + 1) as f64]);
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..50 {
                f.clear();
                std::thread::yield_now();
            }
        });
    });
    f.clear();
    assert_eq!(f.compiled(), 0);
}
