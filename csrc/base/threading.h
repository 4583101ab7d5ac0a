// Threads. threading.cpp is the only file that sees OpenMP.
//
// Work is cut into tasks that do not depend on the thread count, so results do not either; threads only
// decide who runs a task. A child of fork() computes on one thread (libgomp cannot start a team there).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <type_traits>

namespace ranvier {

// The most threads a step may use: RANVIER_NUM_THREADS, else OMP_NUM_THREADS, else the processors this
// process may run on (affinity and cgroup quota respected). 1 in a forked child.
int max_threads();
void set_max_threads(int threads);
std::string openmp_runtime();  // e.g. "libgomp (OpenMP 4.5)"

// Set by the SIGINT handler while native code runs; long kernels poll it between blocks and return early
// (their output is then garbage: the executor discards the step).
extern std::atomic<bool> g_interrupt;
// How many interrupts have come. A result is sound only if none came while it was computed: the flag alone may have
// been raised and lowered by the thread that it was meant for.
extern std::atomic<std::uint32_t> g_interrupts;
inline bool interrupted() { return g_interrupt.load(std::memory_order_relaxed); }

namespace detail {
using TaskFn = void (*)(void* context, std::int64_t task, int thread);
void parallel_for_impl(int threads, std::int64_t tasks, TaskFn fn, void* context);
}  // namespace detail

// Calls f(task, thread) for every task in [0, tasks); thread is in [0, threads). f must not throw.
template <class F>
void parallel_for(int threads, std::int64_t tasks, F&& f) {
  if (threads <= 1 || tasks <= 1) {
    for (std::int64_t task = 0; task < tasks; ++task) f(task, 0);
    return;
  }
  using Fn = std::remove_reference_t<F>;
  detail::parallel_for_impl(
      threads, tasks,
      [](void* context, std::int64_t task, int thread) { (*static_cast<Fn*>(context))(task, thread); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace ranvier
