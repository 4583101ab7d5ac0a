// Rows chosen by an index.
#include <numeric>

#include "ops/gradient.h"

namespace ranvier {
namespace {

void check_index(const InferArgs& args, const TensorType& index) {
  if (index.dtype != DType::i32 && index.dtype != DType::i64)
    fail(ErrorKind::kType, args.op, ": indices must be int32 or int64, got ", name_of(index.dtype), ".");
}

TensorType infer_take(const InferArgs& args) {
  const TensorType &x = args.inputs[0], &index = args.inputs[1];
  check_index(args, index);
  require(x.shape.rank() >= 1, "take: cannot take rows of a scalar.");
  Shape shape = index.shape;
  for (int i = 1; i < x.shape.rank(); ++i) shape.push_back(x.shape[i]);
  return {x.dtype, shape};
}
void grad_take(GradArgs& a) {
  if (a.wants(0)) a.set(0, a.b.emit(Op::scatter_add, {a.g, a.in(1)}, {{"rows", a.b.shape(a.in(0))[0]}}));
}

TensorType infer_scatter_add(const InferArgs& args) {
  const TensorType &source = args.inputs[0], &index = args.inputs[1];
  check_index(args, index);
  if (!is_float(source.dtype)) fail(ErrorKind::kType, "scatter_add: expected floats, got ", name_of(source.dtype), ".");
  bool fits = source.shape.rank() >= index.shape.rank();
  for (int i = 0; fits && i < index.shape.rank(); ++i) fits = source.shape[i] == index.shape[i];
  require(fits, "scatter_add: the source's shape ", source.shape.str(), " must begin with that of the indices, ",
          index.shape.str(), ".");
  Shape shape{args.attributes.get<std::int64_t>("rows")};
  for (int i = index.shape.rank(); i < source.shape.rank(); ++i) shape.push_back(source.shape[i]);
  return {source.dtype, shape};
}
void grad_scatter_add(GradArgs& a) {
  if (a.wants(0)) a.set(0, a.b.emit(Op::take, {a.g, a.in(1)}));
}

TensorType infer_scatter_update(const InferArgs& args) {
  const TensorType &x = args.inputs[0], &index = args.inputs[1], &updates = args.inputs[2];
  check_index(args, index);
  if (!is_compute(x.dtype) || x.dtype != updates.dtype)
    fail(ErrorKind::kType, "scatter_update: expected two operands of one dtype, got ", name_of(x.dtype), " and ",
         name_of(updates.dtype), ".");
  require(x.shape.rank() >= 1, "scatter_update: cannot replace rows of a scalar.");
  Shape wanted = index.shape;
  for (int i = 1; i < x.shape.rank(); ++i) wanted.push_back(x.shape[i]);
  require(updates.shape == wanted, "scatter_update: expected updates of shape ", wanted.str(), ", got ",
          updates.shape.str(), ".");
  const std::int64_t mode = args.attributes.get<std::int64_t>("mode");
  require(mode >= 0 && mode <= 4, "scatter_update: the mode must be 0 to 4, got ", mode, ".");
  return x;
}

// Rules of scatter_update: x and the updates u meet in y; g is y's gradient.
struct Meeting {
  explicit Meeting(GradArgs& args) : a(args), b(args.b), x(a.in(0)), index(a.in(1)), u(a.in(2)), dtype(b.dtype(a.y)) {}
  GradArgs& a;
  Builder& b;
  NodeId x, index, u;
  DType dtype;

  NodeId take(NodeId rows) { return b.emit(Op::take, {rows, index}); }
  NodeId update(NodeId rows, NodeId by, std::int64_t mode) {
    return b.emit(Op::scatter_update, {rows, index, by}, {{"mode", mode}});
  }
  NodeId zeros(NodeId like) { return b.broadcast_to(b.scalar(b.dtype(like), 0.0), b.shape(like)); }

  // The last update of a row is the one that stays.
  void set() {
    const Shape shape = b.shape(index);
    std::vector<std::int32_t> numbers(static_cast<std::size_t>(shape.size()));
    std::iota(numbers.begin(), numbers.end(), 0);
    const NodeId number = b.graph().add_constant(def_constant, {DType::i32, shape}, numbers.data());
    const NodeId last = update(b.broadcast_to(b.scalar(DType::i32, 0.0), {b.shape(x)[0]}), number, 0);
    Shape wide = shape;
    while (wide.rank() < b.shape(u).rank()) wide.push_back(1);
    const NodeId stays = b.reshape(b.equal(take(last), number), wide);
    if (a.wants(0)) a.set(0, update(a.g, zeros(u), 0));
    if (a.wants(2)) a.set(2, b.select(stays, take(a.g), zeros(u)));
  }
  void add() {
    if (a.wants(0)) a.set(0, a.g);
    if (a.wants(2)) a.set(2, take(a.g));
  }
  // Equal extremes share the gradient.
  void extreme() {
    const NodeId x_hits = b.cast(b.equal(x, a.y), dtype), u_hits = b.cast(b.equal(u, take(a.y)), dtype);
    const NodeId share = b.div(a.g, update(x_hits, u_hits, 1));
    if (a.wants(0)) a.set(0, b.mul(x_hits, share));
    if (a.wants(2)) a.set(2, b.mul(u_hits, take(share)));
  }
  // The product of the others: y / own without zeros; at the only zero, the product of the rest; else 0.
  void multiply() {
    const NodeId zero = b.scalar(dtype, 0.0), one = b.scalar(dtype, 1.0);
    const NodeId x_zero = b.equal(x, zero), u_zero = b.equal(u, zero);
    const NodeId x_safe = b.select(x_zero, one, x), u_safe = b.select(u_zero, one, u);
    const NodeId rest = update(x_safe, u_safe, 2);
    const NodeId count = update(b.cast(x_zero, dtype), b.cast(u_zero, dtype), 1);
    const auto others = [&](NodeId is_zero, NodeId safe, NodeId product, NodeId zeros) {
      const NodeId elsewhere = b.select(b.equal(zeros, zero), b.div(product, safe), zero);
      return b.select(is_zero, b.select(b.equal(zeros, one), product, zero), elsewhere);
    };
    if (a.wants(0)) a.set(0, b.mul(a.g, others(x_zero, x_safe, rest, count)));
    if (a.wants(2)) a.set(2, b.mul(take(a.g), others(u_zero, u_safe, take(rest), take(count))));
  }
};

void grad_scatter_update(GradArgs& a) {
  Meeting meeting(a);
  switch (a.attributes().get<std::int64_t>("mode")) {
    case 0: return meeting.set();
    case 1: return meeting.add();
    case 2: return meeting.multiply();
    default: return meeting.extreme();
  }
}

TensorType infer_one_hot(const InferArgs& args) {
  check_index(args, args.inputs[0]);
  Shape shape = args.inputs[0].shape;
  const std::int64_t classes = args.attributes.get<std::int64_t>("num_classes");
  require(classes >= 0, "one_hot: num_classes cannot be negative, got ", classes, ".");
  shape.push_back(classes);
  const DType dtype = args.attributes.get<DType>("dtype");
  if (!is_compute(dtype)) fail(ErrorKind::kType, "one_hot: dtype ", name_of(dtype), " is not offered.");
  return {dtype, shape};
}

}  // namespace

const OpDef def_take = {"take", 2, 2, kFallible, infer_take, grad_take};
const OpDef def_scatter_add = {"scatter_add", 2, 2, kFallible, infer_scatter_add, grad_scatter_add};
const OpDef def_scatter_update = {"scatter_update", 3, 3, kFallible, infer_scatter_update, grad_scatter_update};
const OpDef def_one_hot = {"one_hot", 1, 1, 0, infer_one_hot, nullptr};

}  // namespace ranvier
