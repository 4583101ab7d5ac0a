// Pooling of [batch, axes..., channels] over windows (ops/window.h). The gradient of max_pool goes to one place of each
// window, that of average_pool to all; both are linear in what they carry, so each has its transpose for a gradient:
// max_pool_pick that of max_pool_grad, average_pool that of average_pool_grad.
#include "ops/gradient.h"
#include "ops/window.h"

namespace ranvier {
namespace {

TensorType pooled(const InferArgs& args, const TensorType& x) {
  if (!is_float(x.dtype)) fail(ErrorKind::kType, args.op, ": expected float32 or float64, got ", name_of(x.dtype), ".");
  Shape shape{x.shape[0]};
  for (const WindowAxis& axis : windows_over(args.op, x.shape, args.attributes)) shape.push_back(axis.out);
  shape.push_back(x.shape.back());
  return {x.dtype, shape};
}

TensorType infer_pool(const InferArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  require(shape.rank() >= 3, args.op, ": expected at least 3 axes, got shape ", shape.str(), ".");
  return pooled(args, args.inputs[0]);
}

void check_same(const InferArgs& args, const TensorType& wanted, const TensorType& got) {
  if (got.dtype != wanted.dtype)
    fail(ErrorKind::kType, args.op, ": expected two operands of one dtype, got ", name_of(wanted.dtype), " and ",
         name_of(got.dtype), ".");
  require(got.shape == wanted.shape, args.op, ": expected shape ", wanted.shape.str(), ", got ", got.shape.str(), ".");
}

TensorType infer_max_pool_grad(const InferArgs& args) {
  check_same(args, infer_pool(args), args.inputs[1]);
  return args.inputs[0];
}
TensorType infer_max_pool_pick(const InferArgs& args) {
  check_same(args, args.inputs[0], args.inputs[1]);
  return infer_pool(args);
}
TensorType infer_average_pool_grad(const InferArgs& args) {
  const TensorType x{args.inputs[0].dtype, Shape(args.attributes.get<Ints>("shape"))};
  require(x.shape.rank() >= 3, args.op, ": expected at least 3 axes, got shape ", x.shape.str(), ".");
  check_same(args, pooled(args, x), args.inputs[0]);
  return x;
}

void grad_max_pool(GradArgs& a) { a.set(0, a.b.emit(Op::max_pool_grad, {a.in(0), a.g}, a.attributes())); }
void grad_max_pool_grad(GradArgs& a) {
  if (a.wants(1)) a.set(1, a.b.emit(Op::max_pool_pick, {a.in(0), a.g}, a.attributes()));
}
void grad_max_pool_pick(GradArgs& a) {
  if (a.wants(1)) a.set(1, a.b.emit(Op::max_pool_grad, {a.in(0), a.g}, a.attributes()));
}
void grad_average_pool(GradArgs& a) {
  Attributes attributes = a.attributes();
  attributes.set("shape", a.b.shape(a.in(0)).to_vector());
  a.set(0, a.b.emit(Op::average_pool_grad, {a.g}, std::move(attributes)));
}
void grad_average_pool_grad(GradArgs& a) {
  Attributes attributes;
  for (const auto& [name, value] : a.attributes().items())
    if (name != "shape") attributes.set(name, value);
  a.set(0, a.b.emit(Op::average_pool, {a.g}, std::move(attributes)));
}

// A row for each window, a column for each channel.
std::optional<Contraction> windows_by_channels(const InferArgs&, const TensorType& output) {
  const std::int64_t columns = output.shape.back();
  return Contraction{columns ? output.shape.size() / columns : 0, columns};
}

}  // namespace

const OpDef def_max_pool = {"max_pool", 1, 1, 0, infer_pool, grad_max_pool, CostClass::cheap, windows_by_channels};
const OpDef def_max_pool_grad = {"max_pool_grad", 2, 2, 0, infer_max_pool_grad, grad_max_pool_grad};
const OpDef def_max_pool_pick = {"max_pool_pick", 2, 2, 0, infer_max_pool_pick, grad_max_pool_pick};
const OpDef def_average_pool = {"average_pool", 1, 1, 0, infer_pool, grad_average_pool, CostClass::cheap, windows_by_channels};
const OpDef def_average_pool_grad = {"average_pool_grad", 1, 1, 0, infer_average_pool_grad, grad_average_pool_grad};

}  // namespace ranvier
