// The backend for the host's processors: which planner serves which operation.
#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

// A tensor without elements is there already, however long its other axes are. Operations that refuse data still look
// at it.
Step plan_nothing(const OpRequest& request) {
  return make_step(request, [](const Step&, Operands) {}, 0);
}

Step plan_op(const OpRequest& request, const ElementwiseSpec* epilogue) {
  if (!epilogue && request.output.shape.size() == 0 && !request.op.is(kFallible)) return plan_nothing(request);
  switch (op_of(request.op)) {
    case Op::sum: case Op::prod: case Op::max: case Op::min: case Op::any: case Op::all: return plan_reduce(request);
    case Op::argmax: case Op::argmin: return plan_arg_reduce(request);
    case Op::matmul: return plan_matmul(request, epilogue);
    case Op::transpose: case Op::slice: case Op::unslice: case Op::concatenate: return plan_move(request);
    case Op::argsort: return plan_argsort(request);
    case Op::searchsorted: return plan_searchsorted(request);
    case Op::lu: case Op::triangular_solve: case Op::cholesky: case Op::qr: case Op::eigh: case Op::svd: return plan_linalg(request);
    case Op::max_pool: case Op::max_pool_grad: case Op::max_pool_pick: case Op::average_pool: case Op::average_pool_grad:
      return plan_pool(request, epilogue);
    case Op::take: return plan_take(request);
    case Op::scatter_add: return plan_scatter_add(request);
    case Op::scatter_update: return plan_scatter_update(request);
    case Op::one_hot: return plan_one_hot(request);
    case Op::softmax: case Op::log_softmax: case Op::softmax_grad: case Op::log_softmax_grad: return plan_softmax(request);
    case Op::sparse_softmax_cross_entropy: case Op::sparse_softmax_cross_entropy_grad: return plan_sparse_cross_entropy(request);
    case Op::random_uniform: case Op::random_normal: case Op::truncated_normal: case Op::random_integers: return plan_random(request);
    case Op::bitcast: case Op::store: return plan_copy(request);
    default: break;
  }
  fail(ErrorKind::kRuntime, "The CPU backend has no step for '", request.op.name, "'.");
}

class CpuBackend final : public Backend {
 public:
  Memory& memory() override { return host_memory(); }
  Step plan(const OpRequest& request, const ElementwiseSpec* epilogue) override { return plan_op(request, epilogue); }
  bool takes_epilogue(const OpRequest& request) const override {
    const Op op = op_of(request.op);
    return op == Op::matmul || op == Op::max_pool || op == Op::average_pool;
  }
  Step plan_elementwise(const std::vector<ElementwiseSpec>& segments, int max_threads) override {
    return cpu::plan_elementwise(segments, max_threads);
  }
  bool can_merge(const ElementwiseSpec& a, const ElementwiseSpec& b) const override { return cpu::can_merge(a, b); }
  void gather(const Rows& rows, void* out, DType to) override { cpu::gather(rows, out, to); }
  void synchronize() override {}  // steps have ended when they return
  MachinePeak limits() override { return measure_machine(); }
};

}  // namespace
}  // namespace ranvier::cpu

namespace ranvier {

Backend& cpu_backend() {
  static cpu::CpuBackend backend;
  return backend;
}

}  // namespace ranvier
