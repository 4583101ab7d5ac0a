// Threads: how many there are to be, and sharing out work. The team that does it is team.cpp's.
//
// Work is cut into tasks that do not depend on the thread count, so results do not either; threads only
// decide who runs a task.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace ranvier {

// The processors this process may run on, affinity and cgroup quota respected.
int processors();
// The most threads a step may use: RANVIER_NUM_THREADS, else OMP_NUM_THREADS, else processors().
int max_threads();
void set_max_threads(int threads);

// Lives while a thread of the program runs native code. Where several do, each leaves the others a processor.
class Caller {
 public:
  Caller();
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
};

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
