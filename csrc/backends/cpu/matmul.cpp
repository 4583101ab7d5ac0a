// Products: our gemm, once or for each pair of matrices, with an elementwise chain as the epilogue of a single one.
#include "backends/cpu/block_program.h"
#include "backends/cpu/plan.h"
#include "kernels/gemm/gemm.h"
#include "ops/matmul.h"

namespace ranvier::cpu {
namespace {

// Flops in a nanosecond of small products on one thread, about.
constexpr double kSmallFlopsPerNanosecond = 64;

struct BatchParams {
  GemmPlan gemm;                                   // of one pair
  std::vector<std::int64_t> a_offsets, b_offsets;  // bytes, one for each matrix of the batch
  std::int64_t c_bytes;                            // of one matrix of the result
  int threads;                                     // that share out the pairs
  std::int64_t tasks;
};

void run_single(const Step& step, Operands operands) {
  gemm_run(step.as<GemmPlan>(), operands[0], operands[1], operands[2], operands.scratch);
}

void run_batch(const Step& step, Operands operands) {
  const auto& p = step.as<BatchParams>();
  const auto* a = static_cast<const std::byte*>(operands[0]);
  const auto* b = static_cast<const std::byte*>(operands[1]);
  auto* c = static_cast<std::byte*>(operands[2]);
  parallel_for(p.threads, p.tasks, [&](std::int64_t task, int thread) {
    std::byte* scratch = static_cast<std::byte*>(operands.scratch) + static_cast<std::size_t>(thread) * p.gemm.scratch_bytes;
    const Range range = part_of(static_cast<std::int64_t>(p.a_offsets.size()), p.tasks, task);
    for (std::int64_t i = range.begin; i < range.end && !(p.gemm.interruptible && interrupted()); ++i) {
      const auto at = static_cast<std::size_t>(i);
      gemm_run(p.gemm, a + p.a_offsets[at], b + p.b_offsets[at], c + i * p.c_bytes, scratch);
    }
  });
}

GemmProblem problem_of(const OpRequest& request) {
  const Shape &a = request.inputs[0].shape, &b = request.inputs[1].shape, &c = request.output.shape;
  GemmProblem problem;
  problem.dtype = request.output.dtype;
  const MatmulFlags flags(request.attributes);
  problem.trans_a = flags.transpose_a;
  problem.trans_b = flags.transpose_b;
  problem.strips = sums_in_strips(request.attributes, a, b);
  problem.m = c[c.rank() - 2];
  problem.n = c[c.rank() - 1];
  problem.k = a[a.rank() - (problem.trans_a ? 2 : 1)];
  if (is_one_product(request.attributes, a, b))
    for (int i = 0; i < c.rank() - 2; ++i) problem.m *= c[i];
  problem.lda = a.back();
  problem.ldb = b.back();
  problem.ldc = c.back();
  return problem;
}

// Byte offsets of an operand's matrices for each matrix of the result's batch.
std::vector<std::int64_t> batch_offsets(const TensorType& operand, const Shape& result) {
  const int batch_rank = result.rank() - 2, rank = operand.shape.rank();
  std::vector<std::int64_t> strides(static_cast<std::size_t>(batch_rank), 0);
  std::int64_t step = operand.shape[rank - 1] * operand.shape[rank - 2] * static_cast<std::int64_t>(size_of(operand.dtype));
  for (int i = 1; i <= rank - 2; ++i) {
    const std::int64_t dim = operand.shape[rank - 2 - i];
    strides[static_cast<std::size_t>(batch_rank - i)] = dim == 1 ? 0 : step;
    step *= dim;
  }
  std::int64_t count = 1;
  for (int i = 0; i < batch_rank; ++i) count *= result[i];
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(count));
  for (std::int64_t n = 0; n < count; ++n) {
    std::int64_t rest = n, offset = 0;
    for (int i = batch_rank - 1; i >= 0; --i) {
      offset += rest % result[i] * strides[static_cast<std::size_t>(i)];
      rest /= result[i];
    }
    offsets[static_cast<std::size_t>(n)] = offset;
  }
  return offsets;
}

struct EpilogueParams {
  GemmPlan gemm;
  BlockProgram program;
  std::size_t gemm_scratch;
};

struct EpilogueContext {
  const EpilogueParams& params;
  void* const* operands;
  std::byte* scratch;
};

void run_epilogue(void* context, std::int64_t row_begin, std::int64_t row_end, std::int64_t col_begin, std::int64_t col_end,
                  int thread) {
  const auto& c = *static_cast<const EpilogueContext*>(context);
  c.params.program.run_region(row_begin, row_end, col_begin, col_end, c.operands,
                              c.scratch + static_cast<std::size_t>(thread) * c.params.program.scratch_bytes());
}

// Operands: a, b, product, then the epilogue's other inputs and its outputs (the product is its input 0).
void run_with_epilogue(const Step& step, Operands operands) {
  const auto& p = step.as<EpilogueParams>();
  EpilogueContext context{p, operands.at + 2, static_cast<std::byte*>(operands.scratch) + p.gemm_scratch};
  const GemmEpilogue epilogue{run_epilogue, &context};
  gemm_run(p.gemm, operands[0], operands[1], operands[2], operands.scratch, &epilogue);
}

Step plan_alone(const OpRequest& request) {
  const GemmProblem problem = problem_of(request);
  const std::int64_t elements = problem.m * problem.n;
  const std::int64_t count = elements > 0 ? request.output.shape.size() / elements : 1;
  // Pairs are shared out whole as long as that keeps the threads busy.
  const double flops = 2.0 * static_cast<double>(request.output.shape.size()) * static_cast<double>(problem.k);
  const int sharing = threads_for(flops / kSmallFlopsPerNanosecond, request.max_threads);
  const bool shared = count >= 2 * sharing;
  GemmPlan gemm = gemm_plan(problem, shared ? 1 : request.max_threads, kernels());
  gemm.interruptible = request.interruptible;
  const std::size_t scratch = gemm.scratch_bytes;
  Step step;
  if (count == 1) {
    step = make_step(request, run_single, std::move(gemm));
    step.scratch_bytes = scratch;
  } else {
    const std::int64_t c_bytes = elements * static_cast<std::int64_t>(size_of(problem.dtype));
    const int threads = shared ? sharing : 1;
    BatchParams params{std::move(gemm), batch_offsets(request.inputs[0], request.output.shape),
                       batch_offsets(request.inputs[1], request.output.shape), c_bytes, threads,
                       std::min<std::int64_t>(count, 4 * threads)};
    step = make_step(request, run_batch, std::move(params));
    step.scratch_bytes = scratch * static_cast<std::size_t>(threads);
  }
  step.cost = cost_of_matmul(request);
  return step;
}

Step plan_with_epilogue(const OpRequest& request, const ElementwiseSpec& spec) {
  BlockProgram program(spec, kernels(), /*rows_are_fixed=*/true);
  GemmPlan gemm = gemm_plan(problem_of(request), request.max_threads, kernels(), program.cost_ns());
  gemm.interruptible = request.interruptible;
  EpilogueParams params{gemm, std::move(program), (gemm.scratch_bytes + 63) / 64 * 64};
  const std::size_t scratch = params.gemm_scratch + params.program.scratch_bytes() * static_cast<std::size_t>(std::max(1, gemm.threads));
  Step step = make_step(request, run_with_epilogue, std::move(params));
  step.name = "matmul+elementwise";
  step.cost = cost_with_epilogue(cost_of_matmul(request), spec);
  step.scratch_bytes = scratch;
  return step;
}

}  // namespace

Step plan_matmul(const OpRequest& request, const ElementwiseSpec* epilogue) {
  return epilogue ? plan_with_epilogue(request, *epilogue) : plan_alone(request);
}

}  // namespace ranvier::cpu
