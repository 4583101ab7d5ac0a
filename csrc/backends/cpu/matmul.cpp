// Products: our gemm for each matrix of the (broadcast) batch, with an elementwise chain as its epilogue.
#include "backends/cpu/block_program.h"
#include "backends/cpu/plan.h"
#include "kernels/gemm/gemm.h"

namespace ranvier::cpu {
namespace {

struct Params {
  GemmPlan gemm;
  std::vector<std::int64_t> a_offsets, b_offsets;  // bytes, one for each matrix of the batch
  std::int64_t c_bytes = 0;                        // of one matrix of the result
};

void run_single(const Step& step) {
  gemm_run(step.as<Params>().gemm, step.operands[0], step.operands[1], step.operands[2], step.scratch);
}

void run_batch(const Step& step) {
  const Params& p = step.as<Params>();
  const auto* a = static_cast<const std::byte*>(step.operands[0]);
  const auto* b = static_cast<const std::byte*>(step.operands[1]);
  auto* c = static_cast<std::byte*>(step.operands[2]);
  for (std::size_t i = 0; i < p.a_offsets.size() && !(p.gemm.interruptible && interrupted()); ++i)
    gemm_run(p.gemm, a + p.a_offsets[i], b + p.b_offsets[i], c + static_cast<std::int64_t>(i) * p.c_bytes, step.scratch);
}

GemmProblem problem_of(const OpRequest& request) {
  const Shape &a = request.inputs[0].shape, &b = request.inputs[1].shape, &c = request.output.shape;
  GemmProblem problem;
  problem.dtype = request.output.dtype;
  problem.trans_a = request.attributes.get<bool>("transpose_a");
  problem.trans_b = request.attributes.get<bool>("transpose_b");
  problem.m = c[c.rank() - 2];
  problem.n = c[c.rank() - 1];
  problem.k = a[a.rank() - (problem.trans_a ? 2 : 1)];
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
void run_with_epilogue(const Step& step) {
  const auto& p = step.as<EpilogueParams>();
  EpilogueContext context{p, step.operands.data() + 2, static_cast<std::byte*>(step.scratch) + p.gemm_scratch};
  const GemmEpilogue epilogue{run_epilogue, &context};
  gemm_run(p.gemm, step.operands[0], step.operands[1], step.operands[2], step.scratch, &epilogue);
}

}  // namespace

Step plan_matmul(const OpRequest& request) {
  Params params;
  params.gemm = gemm_plan(problem_of(request), request.max_threads, kernels());
  params.gemm.interruptible = request.interruptible;
  params.a_offsets = batch_offsets(request.inputs[0], request.output.shape);
  params.b_offsets = batch_offsets(request.inputs[1], request.output.shape);
  const GemmProblem& problem = params.gemm.problem;
  params.c_bytes = problem.m * problem.n * static_cast<std::int64_t>(size_of(problem.dtype));
  const std::size_t scratch = params.gemm.scratch_bytes;
  const bool single = params.a_offsets.size() == 1;
  Step step = make_step(request, single ? run_single : run_batch, std::move(params));
  step.scratch_bytes = scratch;
  step.cost = cost_of_matmul(request);
  return step;
}

Step plan_matmul_with_epilogue(const OpRequest& request, const ElementwiseSpec& spec) {
  BlockProgram program(spec, kernels(), /*rows_are_fixed=*/true);
  GemmPlan gemm = gemm_plan(problem_of(request), request.max_threads, kernels(), program.cost_ns());
  gemm.interruptible = request.interruptible;
  EpilogueParams params{gemm, std::move(program), (gemm.scratch_bytes + 63) / 64 * 64};
  const std::size_t scratch = params.gemm_scratch + params.program.scratch_bytes() * static_cast<std::size_t>(std::max(1, gemm.threads));
  Step step = make_step(request, run_with_epilogue, std::move(params));
  step.name = "matmul+elementwise";
  step.cost = cost_of_matmul(request, spec);
  step.scratch_bytes = scratch;
  return step;
}

}  // namespace ranvier::cpu
