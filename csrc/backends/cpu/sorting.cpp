// Sorting: rows are independent, so threads share them out.
#include "kernels/sorting/sorting.h"

#include <cmath>

#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

struct Sort {
  DType dtype;
  std::int64_t rows, count, wanted, scratch;  // scratch: bytes for each thread
  bool descending;
  int threads;
  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Sort>();
    const auto* x = static_cast<const std::byte*>(operands[0]);
    auto* out = static_cast<std::int32_t*>(operands[1]);
    const std::int64_t row_bytes = p.count * static_cast<std::int64_t>(size_of(p.dtype));
    run_tasks(step, p.threads, p.rows, [&](std::int64_t row, int thread) {
      argsort_row(p.dtype, p.count, x + row * row_bytes, p.descending, p.wanted, out + row * p.wanted,
                  static_cast<std::byte*>(operands.scratch) + thread * p.scratch);
    });
  }
};

struct Search {
  DType dtype;
  std::int64_t count, values;
  bool right;
  static void run(const Step& step, Operands operands) {
    const auto& p = step.as<Search>();
    searchsorted(p.dtype, p.count, operands[0], p.values, operands[1], p.right, static_cast<std::int32_t*>(operands[2]));
  }
};

}  // namespace

Step plan_argsort(const OpRequest& request) {
  const TensorType& x = request.inputs[0];
  const std::int64_t count = x.shape.back(), wanted = request.output.shape.back();
  const std::int64_t rows = wanted == 0 ? 0 : request.output.shape.size() / wanted;
  const double depth = std::log2(static_cast<double>(count) + 2);
  const int threads = threads_for(2.0 * static_cast<double>(x.shape.size()) * depth, request.max_threads);
  const std::int64_t scratch = argsort_scratch_bytes(x.dtype, count);
  Step step = make_step(request, Sort::run,
                        Sort{x.dtype, rows, count, wanted, scratch, request.attributes.get<bool>("descending"), threads}, depth);
  step.scratch_bytes = static_cast<std::size_t>(scratch * threads);
  return step;
}

Step plan_searchsorted(const OpRequest& request) {
  return make_step(request, Search::run,
                   Search{request.inputs[0].dtype, request.inputs[0].shape[0], request.output.shape.size(),
                          request.attributes.get<bool>("right")});
}

}  // namespace ranvier::cpu
