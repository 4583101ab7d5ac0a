// Shared by the planners of this backend.
#pragma once

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <utility>

#include "backends/backend.h"
#include "backends/cpu/cost.h"
#include "base/threading.h"
#include "kernels/table.h"

namespace ranvier::cpu {

// A parallel region costs about a microsecond: work estimated below this many nanoseconds stays on one thread.
inline constexpr double kParallelNanoseconds = 12000;

inline int threads_for(double nanoseconds, int max_threads) {
  const int useful = static_cast<int>(std::min(1e6, nanoseconds / (kParallelNanoseconds / 2)));
  return std::clamp(useful, 1, std::max(1, max_threads));
}

// An interrupted step may leave its work undone, where the executor will discard it.
inline bool gave_up(const Step& step) { return step.interruptible && interrupted(); }

// f(task, thread) for every task, as far as no interrupt comes. A task should take well under a millisecond.
template <class F>
void run_tasks(const Step& step, int threads, std::int64_t tasks, F&& f) {
  parallel_for(threads, tasks, [&](std::int64_t task, int thread) {
    if (!gave_up(step)) f(task, thread);
  });
}

// The first bad element that tasks find.
class FirstBad {
 public:
  // `at`: where, counted from `begin`, or -1.
  void note(std::int64_t begin, std::int64_t at) {
    if (at < 0) return;
    std::int64_t seen = first_.load(std::memory_order_relaxed);
    while (begin + at < seen && !first_.compare_exchange_weak(seen, begin + at, std::memory_order_relaxed)) {
    }
  }
  std::int64_t get() const {
    const std::int64_t first = first_.load(std::memory_order_relaxed);
    return first == kNone ? -1 : first;
  }

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> first_{kNone};
};

// `flops_each`: operations for each element of the first input.
template <class Params>
Step make_step(const OpRequest& request, void (*run)(const Step&, Operands), Params params, double flops_each = 0) {
  Step step;
  step.run = run;
  step.params = std::make_shared<const Params>(std::move(params));
  step.name = request.op.name;
  step.cost = cost_of(request, flops_each);
  return step;
}

// [begin, end) of part `i` of `parts` equal parts of n.
struct Range {
  std::int64_t begin, end;
};
inline Range part_of(std::int64_t n, std::int64_t parts, std::int64_t i) { return {n * i / parts, n * (i + 1) / parts}; }

// One function for each family of operations; cpu.cpp says which serves what.
Step plan_reduce(const OpRequest& request);
Step plan_arg_reduce(const OpRequest& request);
Step plan_matmul(const OpRequest& request, const ElementwiseSpec* epilogue);
Step plan_move(const OpRequest& request);  // transpose, slice, unslice, concatenate
Step plan_argsort(const OpRequest& request);
Step plan_searchsorted(const OpRequest& request);
Step plan_linalg(const OpRequest& request);  // decompositions and triangular systems
Step plan_take(const OpRequest& request);
Step plan_scatter_add(const OpRequest& request);
Step plan_scatter_update(const OpRequest& request);
Step plan_one_hot(const OpRequest& request);
Step plan_pool(const OpRequest& request, const ElementwiseSpec* epilogue);
Step plan_softmax(const OpRequest& request);  // and the other row operations
Step plan_sparse_cross_entropy(const OpRequest& request);
Step plan_random(const OpRequest& request);
Step plan_copy(const OpRequest& request);  // store: a variable takes its value; bitcast
Step plan_elementwise(const std::vector<ElementwiseSpec>& specs, int max_threads);
bool can_merge(const ElementwiseSpec& a, const ElementwiseSpec& b);
void gather(const Rows& rows, void* out, DType to);
MachinePeak measure_machine();

}  // namespace ranvier::cpu
