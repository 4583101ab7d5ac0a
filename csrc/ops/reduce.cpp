// Reductions over a set of axes.
#include <algorithm>

#include "ops/gradient.h"

namespace ranvier {
namespace {

Shape reduced(const char* op, const Shape& shape, const Ints& axes, bool keepdims) {
  std::vector<std::int64_t> dims;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= shape.rank())
      fail(ErrorKind::kValue, op, ": axis ", axes[i], " is out of range for shape ", shape.str(), ".");
    require(std::count(axes.begin(), axes.end(), axes[i]) == 1, op, ": axis ", axes[i], " is named twice.");
  }
  for (int i = 0; i < shape.rank(); ++i) {
    const bool gone = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!gone) dims.push_back(shape[i]);
    else if (keepdims) dims.push_back(1);
  }
  return Shape(dims);
}

TensorType infer_number(const InferArgs& args) {
  const TensorType& x = args.inputs[0];
  if (!is_compute(x.dtype) || x.dtype == DType::b8)
    fail(ErrorKind::kType, args.op, ": expected float32, float64, int32 or int64, got ", name_of(x.dtype), ".");
  return {x.dtype, reduced(args.op, x.shape, args.attributes.get<Ints>("axes"), args.attributes.get<bool>("keepdims"))};
}

TensorType infer_extreme(const InferArgs& args) {
  for (std::int64_t axis : args.attributes.get<Ints>("axes"))
    if (axis >= 0 && axis < args.inputs[0].shape.rank())
      require(args.inputs[0].shape[static_cast<int>(axis)] > 0, args.op, ": axis ", axis, " of shape ",
              args.inputs[0].shape.str(), " is empty and has no extreme.");
  return infer_number(args);
}

TensorType infer_logical(const InferArgs& args) {
  const TensorType& x = args.inputs[0];
  if (x.dtype != DType::b8) fail(ErrorKind::kType, args.op, ": expected bool, got ", name_of(x.dtype), ".");
  return {x.dtype, reduced(args.op, x.shape, args.attributes.get<Ints>("axes"), args.attributes.get<bool>("keepdims"))};
}

TensorType infer_arg(const InferArgs& args) {
  const TensorType& x = args.inputs[0];
  if (!is_compute(x.dtype)) fail(ErrorKind::kType, args.op, ": dtype ", name_of(x.dtype), " is not offered.");
  const DType dtype = args.attributes.get<DType>("dtype");
  if (dtype != DType::i32 && dtype != DType::i64)
    fail(ErrorKind::kType, args.op, ": indices are int32 or int64, got ", name_of(dtype), ".");
  const std::int64_t axis = args.attributes.get<std::int64_t>("axis");
  const Shape shape = reduced(args.op, x.shape, {axis}, args.attributes.get<bool>("keepdims"));
  require(x.shape[static_cast<int>(axis)] > 0, args.op, ": axis ", axis, " of shape ", x.shape.str(), " is empty.");
  return {dtype, shape};
}

// `value`, of the reduced shape, with the reduced axes put back as 1.
NodeId keep(GradArgs& a, NodeId value) {
  return a.b.reshape(value, reduced("sum", a.b.shape(a.in(0)), a.attributes().get<Ints>("axes"), true));
}

void grad_sum(GradArgs& a) { a.set(0, a.b.broadcast_to(keep(a, a.g), a.b.shape(a.in(0)))); }

// The gradient goes to the extreme elements, in equal parts.
void grad_extreme(GradArgs& a) {
  Builder& b = a.b;
  const DType dtype = b.dtype(a.y);
  const NodeId hit = b.cast(b.equal(a.in(0), keep(a, a.y)), dtype);
  const NodeId count = b.sum(hit, a.attributes().get<Ints>("axes"), true);
  a.set(0, b.mul(hit, b.div(keep(a, a.g), count)));
}

// The product of the others: prod / x without zeros; with one zero, `rest` at it; else 0. What is 0 is still written so
// that its own derivative is right: with one zero z elsewhere, z rest / x; at one of two zeros, the other times rest.
void grad_prod(GradArgs& a) {
  Builder& b = a.b;
  const DType dtype = b.dtype(a.y);
  const Ints axes = a.attributes().get<Ints>("axes");
  const NodeId x = a.in(0), zero = b.scalar(dtype, 0.0), one = b.scalar(dtype, 1.0);
  const NodeId is_zero = b.equal(x, zero);
  const NodeId zeros = b.sum(b.cast(is_zero, dtype), axes, true);
  const NodeId safe = b.select(is_zero, one, x);
  const NodeId rest = b.reduce(Op::prod, safe, axes, true);
  const NodeId zero_sum = b.sum(b.select(is_zero, x, zero), axes, true);
  const NodeId others = b.select(b.equal(zeros, b.scalar(dtype, 2.0)), b.mul(b.sub(zero_sum, x), rest), zero);
  const NodeId at_zero = b.select(b.equal(zeros, one), rest, others);
  const NodeId quotient = b.div(rest, safe);
  const NodeId elsewhere =
      b.select(b.equal(zeros, zero), quotient, b.select(b.equal(zeros, one), b.mul(zero_sum, quotient), zero));
  a.set(0, b.mul(keep(a, a.g), b.select(is_zero, at_zero, elsewhere)));
}

}  // namespace

const OpDef def_sum = {"sum", 1, 1, kReduction, infer_number, grad_sum};
const OpDef def_prod = {"prod", 1, 1, kReduction, infer_number, grad_prod};
const OpDef def_max = {"max", 1, 1, kReduction, infer_extreme, grad_extreme};
const OpDef def_min = {"min", 1, 1, kReduction, infer_extreme, grad_extreme};
const OpDef def_any = {"any", 1, 1, kReduction, infer_logical, nullptr};
const OpDef def_all = {"all", 1, 1, kReduction, infer_logical, nullptr};
const OpDef def_argmax = {"argmax", 1, 1, 0, infer_arg, nullptr};
const OpDef def_argmin = {"argmin", 1, 1, 0, infer_arg, nullptr};

}  // namespace ranvier
