// Elementwise operations: shape rule by broadcasting, and the gradients, one per line.
#include <string_view>

#include "ops/gradient.h"

namespace ranvier {
namespace {

enum class Dtypes { F, N, I, A, B };
enum class Result { T, B };

bool offered(Dtypes set, DType dtype) {
  switch (set) {
    case Dtypes::F: return is_float(dtype);
    case Dtypes::N: return is_compute(dtype) && dtype != DType::b8;
    case Dtypes::I: return dtype == DType::i32 || dtype == DType::i64;
    case Dtypes::A: return is_compute(dtype);
    case Dtypes::B: return dtype == DType::b8;
  }
  return false;
}

std::string_view describe(Dtypes set) {
  switch (set) {
    case Dtypes::F: return "float32 or float64";
    case Dtypes::N: return "float32, float64, int32 or int64";
    case Dtypes::I: return "int32 or int64";
    case Dtypes::A: return "float32, float64, int32, int64 or bool";
    case Dtypes::B: return "bool";
  }
  return "";
}

template <Dtypes kDtypes, Result kResult>
TensorType infer(const InferArgs& args) {
  const bool is_select = args.inputs.size() == 3;
  const DType dtype = args.inputs[is_select ? 1 : 0].dtype;
  if (is_select && args.inputs[0].dtype != DType::b8)
    fail(ErrorKind::kType, args.op, ": the condition must be bool, got ", name_of(args.inputs[0].dtype), ".");
  if (!offered(kDtypes, dtype))
    fail(ErrorKind::kType, args.op, ": expected ", describe(kDtypes), ", got ", name_of(dtype), ".");
  Shape shape = args.inputs[0].shape;
  for (std::size_t i = 1; i < args.inputs.size(); ++i) {
    if (args.inputs[i].dtype != dtype)
      fail(ErrorKind::kType, args.op, ": operands of dtype ", name_of(dtype), " and ", name_of(args.inputs[i].dtype),
           " do not mix.");
    shape = broadcast_shapes(args.op, shape, args.inputs[i].shape);
  }
  return {kResult == Result::B ? DType::b8 : dtype, shape};
}

using Grad = void (*)(GradArgs&);

void one(GradArgs& a, NodeId factor) { a.set(0, a.b.mul(a.g, factor)); }
NodeId num(GradArgs& a, double value) { return a.b.scalar(a.b.dtype(a.y), value); }
NodeId zero(GradArgs& a) { return num(a, 0.0); }

// A comparison or a step has no slope: its gradient is zero everywhere.
constexpr Grad grad_none = nullptr;
constexpr Grad grad_sign = grad_none, grad_floor = grad_none, grad_ceil = grad_none, grad_round = grad_none;
constexpr Grad grad_isnan = grad_none, grad_isinf = grad_none, grad_isfinite = grad_none;
constexpr Grad grad_logical_not = grad_none, grad_logical_and = grad_none, grad_logical_or = grad_none;
constexpr Grad grad_logical_xor = grad_none, grad_equal = grad_none, grad_not_equal = grad_none;
constexpr Grad grad_less = grad_none, grad_less_equal = grad_none, grad_greater = grad_none;
constexpr Grad grad_greater_equal = grad_none, grad_floor_divide = grad_none;
constexpr Grad grad_bitwise_and = grad_none, grad_bitwise_or = grad_none, grad_bitwise_xor = grad_none;
constexpr Grad grad_left_shift = grad_none, grad_right_shift = grad_none, grad_gcd = grad_none;

void grad_neg(GradArgs& a) { a.set(0, a.b.neg(a.g)); }
// The slope at 0 is 1, as in JAX.
void grad_abs(GradArgs& a) {
  a.set(0, a.b.select(a.b.emit(Op::greater_equal, {a.in(0), zero(a)}), a.g, a.b.neg(a.g)));
}
void grad_square(GradArgs& a) { one(a, a.b.mul(a.in(0), 2.0)); }
void grad_sqrt(GradArgs& a) { a.set(0, a.b.div(a.b.mul(a.g, 0.5), a.y)); }
void grad_rsqrt(GradArgs& a) { one(a, a.b.mul(a.b.div(a.y, a.in(0)), -0.5)); }
void grad_reciprocal(GradArgs& a) { one(a, a.b.neg(a.b.mul(a.y, a.y))); }
void grad_exp(GradArgs& a) { one(a, a.y); }
void grad_expm1(GradArgs& a) { one(a, a.b.add(a.y, num(a, 1.0))); }
void grad_log(GradArgs& a) { a.set(0, a.b.div(a.g, a.in(0))); }
void grad_log1p(GradArgs& a) { a.set(0, a.b.div(a.g, a.b.add(a.in(0), num(a, 1.0)))); }
void grad_sin(GradArgs& a) { one(a, a.b.emit(Op::cos, {a.in(0)})); }
void grad_cos(GradArgs& a) { one(a, a.b.neg(a.b.emit(Op::sin, {a.in(0)}))); }
void grad_tanh(GradArgs& a) { one(a, a.b.sub(num(a, 1.0), a.b.mul(a.y, a.y))); }
void grad_sigmoid(GradArgs& a) { one(a, a.b.mul(a.y, a.b.sub(num(a, 1.0), a.y))); }
void grad_softplus(GradArgs& a) { one(a, a.b.emit(Op::sigmoid, {a.in(0)})); }
// d/dx erf(x) = 2 / sqrt(pi) * exp(-x^2)
void grad_erf(GradArgs& a) {
  one(a, a.b.mul(a.b.exp(a.b.neg(a.b.mul(a.in(0), a.in(0)))), 1.1283791670955125739));
}
void grad_erfc(GradArgs& a) {
  one(a, a.b.mul(a.b.exp(a.b.neg(a.b.mul(a.in(0), a.in(0)))), -1.1283791670955125739));
}
// d/dx erfinv(x) = sqrt(pi) / 2 * exp(erfinv(x)^2)
void grad_erfinv(GradArgs& a) { one(a, a.b.mul(a.b.exp(a.b.mul(a.y, a.y)), 0.88622692545275801365)); }
void grad_arctan(GradArgs& a) { a.set(0, a.b.div(a.g, a.b.add(a.b.mul(a.in(0), a.in(0)), num(a, 1.0)))); }
// From the output, so that the input need not be kept. The slope at 0 is 0.
void grad_relu(GradArgs& a) { a.set(0, a.b.select(a.b.greater(a.y, zero(a)), a.g, zero(a))); }

void grad_add(GradArgs& a) {
  if (a.wants(0)) a.set(0, a.g);
  if (a.wants(1)) a.set(1, a.g);
}
void grad_subtract(GradArgs& a) {
  if (a.wants(0)) a.set(0, a.g);
  if (a.wants(1)) a.set(1, a.b.neg(a.g));
}
void grad_multiply(GradArgs& a) {
  if (a.wants(0)) a.set(0, a.b.mul(a.g, a.in(1)));
  if (a.wants(1)) a.set(1, a.b.mul(a.g, a.in(0)));
}
void grad_divide(GradArgs& a) {
  if (a.wants(0)) a.set(0, a.b.div(a.g, a.in(1)));
  if (a.wants(1)) a.set(1, a.b.neg(a.b.div(a.b.mul(a.g, a.y), a.in(1))));
}
// mod(a, b) = a - b * floor(a / b)
void grad_mod(GradArgs& a) {
  if (a.wants(0)) a.set(0, a.g);
  if (a.wants(1)) a.set(1, a.b.neg(a.b.mul(a.g, a.b.emit(Op::floor_divide, {a.in(0), a.in(1)}))));
}
// d/da = b a^(b-1), and 0 where b is 0; d/db = a^b log(a), and 0 where a is 0.
void grad_power(GradArgs& a) {
  Builder& b = a.b;
  if (a.wants(0)) {
    // Where b is 0 the exponent is 1, not -1: an infinite slope times 0 would make the second derivative NaN.
    const NodeId exponent = b.select(b.equal(a.in(1), zero(a)), num(a, 1.0), b.sub(a.in(1), num(a, 1.0)));
    const NodeId slope = b.mul(a.in(1), b.emit(Op::power, {a.in(0), exponent}));
    a.set(0, b.mul(a.g, b.select(b.equal(a.in(1), zero(a)), zero(a), slope)));
  }
  if (a.wants(1)) {
    const NodeId safe = b.select(b.equal(a.in(0), zero(a)), num(a, 1.0), a.in(0));
    a.set(1, b.mul(a.g, b.mul(a.y, b.emit(Op::log, {safe}))));
  }
}
// Where both are equal, each gets half.
void extreme(GradArgs& a, int first, int second) {
  Builder& b = a.b;
  const NodeId half = b.select(b.equal(a.in(0), a.in(1)), num(a, 0.5), zero(a));
  for (int i = 0; i < 2; ++i) {
    if (!a.wants(i)) continue;
    const NodeId chosen = b.greater(a.in(i == 0 ? first : second), a.in(i == 0 ? second : first));
    a.set(i, b.mul(a.g, b.select(chosen, num(a, 1.0), half)));
  }
}
void grad_maximum(GradArgs& a) { extreme(a, 0, 1); }
void grad_minimum(GradArgs& a) { extreme(a, 1, 0); }
void grad_select(GradArgs& a) {
  if (a.wants(1)) a.set(1, a.b.select(a.in(0), a.g, zero(a)));
  if (a.wants(2)) a.set(2, a.b.select(a.in(0), zero(a), a.g));
}

TensorType infer_cast(const InferArgs& args) { return {args.attributes.get<DType>("dtype"), args.inputs[0].shape}; }
void grad_cast(GradArgs& a) {
  if (is_float(a.b.dtype(a.in(0)))) a.set(0, a.b.cast(a.g, a.b.dtype(a.in(0))));
}

TensorType infer_broadcast_to(const InferArgs& args) {
  const Shape target(args.attributes.get<Ints>("shape"));
  const Shape& from = args.inputs[0].shape;
  bool fits = from.rank() <= target.rank();
  for (int i = 1; fits && i <= from.rank(); ++i) {
    const std::int64_t dim = from[from.rank() - i];
    fits = dim == 1 || dim == target[target.rank() - i];
  }
  require(fits, "broadcast_to: shape ", from.str(), " cannot be broadcast to ", target.str(), ".");
  return {args.inputs[0].dtype, target};
}
void grad_broadcast_to(GradArgs& a) { a.set(0, a.g); }

TensorType infer_same(const InferArgs& args) { return args.inputs[0]; }

}  // namespace

#define RANVIER_EW(name, arity, dtypes, result, cost) \
  const OpDef def_##name = {#name, arity, arity, kElementwise, infer<Dtypes::dtypes, Result::result>, grad_##name, CostClass::cost};
#include "kernels/elementwise/elementwise.def"
#undef RANVIER_EW

const OpDef def_cast = {"cast", 1, 1, kElementwise, infer_cast, grad_cast, CostClass::free};
const OpDef def_broadcast_to = {"broadcast_to", 1, 1, kElementwise | kCopy, infer_broadcast_to, grad_broadcast_to, CostClass::free};
const OpDef def_stop_gradient = {"stop_gradient", 1, 1, kElementwise | kCopy, infer_same, nullptr, CostClass::free};

}  // namespace ranvier
