// Which planner serves which operation.
#include "backends/cpu/plan.h"

namespace ranvier::cpu {
namespace {

// A tensor without elements is there already, however long its other axes are. Operations that refuse data still look
// at it.
Step plan_nothing(const OpRequest& request) {
  return make_step(request, [](const Step&) {}, 0);
}

}  // namespace

Step plan_op(const OpRequest& request) {
  if (request.output.shape.size() == 0 && !request.op.is(kFallible)) return plan_nothing(request);
  switch (op_of(request.op)) {
    case Op::sum: case Op::prod: case Op::max: case Op::min: case Op::any: case Op::all: return plan_reduce(request);
    case Op::argmax: case Op::argmin: return plan_arg_reduce(request);
    case Op::matmul: return plan_matmul(request);
    case Op::transpose: case Op::slice: case Op::unslice: case Op::concatenate: return plan_move(request);
    case Op::argsort: return plan_argsort(request);
    case Op::searchsorted: return plan_searchsorted(request);
    case Op::lu: case Op::triangular_solve: case Op::cholesky: case Op::qr: case Op::eigh: case Op::svd: return plan_linalg(request);
    case Op::max_pool: case Op::max_pool_grad: case Op::max_pool_pick: case Op::average_pool: case Op::average_pool_grad:
      return plan_pool(request);
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

}  // namespace ranvier::cpu
