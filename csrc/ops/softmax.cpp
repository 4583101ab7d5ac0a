// Softmax and its relatives over the last axis. Their backwards are operations too, with gradients of their own,
// so that second derivatives exist.
#include "ops/gradient.h"

namespace ranvier {
namespace {

void check_float(const InferArgs& args, const TensorType& x) {
  if (!is_float(x.dtype)) fail(ErrorKind::kType, args.op, ": expected float32 or float64, got ", name_of(x.dtype), ".");
  require(x.shape.rank() >= 1, args.op, ": expected at least one axis, got a scalar.");
}

TensorType infer_rows(const InferArgs& args) {
  check_float(args, args.inputs[0]);
  return args.inputs[0];
}

TensorType infer_rows_grad(const InferArgs& args) {
  check_float(args, args.inputs[0]);
  require(args.inputs[0] == args.inputs[1], args.op, ": shapes ", args.inputs[0].shape.str(), " and ",
          args.inputs[1].shape.str(), " differ.");
  return args.inputs[0];
}

Ints last(Builder& b, NodeId x) { return {b.shape(x).rank() - 1}; }
NodeId row_sum(Builder& b, NodeId x) { return b.sum(x, last(b, x), true); }

void grad_softmax(GradArgs& a) { a.set(0, a.b.emit(Op::softmax_grad, {a.y, a.g})); }
void grad_log_softmax(GradArgs& a) { a.set(0, a.b.emit(Op::log_softmax_grad, {a.y, a.g})); }

// out = y (g - s), s = sum(g y)
void grad_softmax_grad(GradArgs& a) {
  Builder& b = a.b;
  const NodeId y = a.in(0), g = a.in(1), h = a.g;
  if (a.wants(0)) {
    const NodeId s = row_sum(b, b.mul(g, y)), t = row_sum(b, b.mul(h, y));
    a.set(0, b.sub(b.mul(h, b.sub(g, s)), b.mul(g, t)));
  }
  if (a.wants(1)) a.set(1, b.emit(Op::softmax_grad, {y, h}));
}

// out = g - exp(y) G, G = sum(g)
void grad_log_softmax_grad(GradArgs& a) {
  Builder& b = a.b;
  const NodeId y = a.in(0), g = a.in(1), h = a.g;
  const NodeId weighted = b.mul(h, b.exp(y));
  if (a.wants(0)) a.set(0, b.neg(b.mul(weighted, row_sum(b, g))));
  if (a.wants(1)) a.set(1, b.sub(h, row_sum(b, weighted)));
}

void check_labels(const InferArgs& args) {
  const TensorType &x = args.inputs[0], &labels = args.inputs[1];
  check_float(args, x);
  if (labels.dtype != DType::i32 && labels.dtype != DType::i64)
    fail(ErrorKind::kType, args.op, ": labels must be int32 or int64, got ", name_of(labels.dtype), ".");
  const Shape rows(std::vector<std::int64_t>(x.shape.begin(), x.shape.end() - 1));
  require(rows == labels.shape, args.op, ": logits of shape ", x.shape.str(), " need labels of shape ", rows.str(),
          ", got ", labels.shape.str(), ".");
}

TensorType infer_sparse(const InferArgs& args) {
  check_labels(args);
  return {args.inputs[0].dtype, args.inputs[1].shape};
}
TensorType infer_sparse_grad(const InferArgs& args) {
  check_labels(args);
  require(args.inputs[2] == TensorType{args.inputs[0].dtype, args.inputs[1].shape}, args.op,
          ": the gradient must have the labels' shape and the logits' dtype.");
  return args.inputs[0];
}

void grad_sparse(GradArgs& a) {
  if (a.wants(0)) a.set(0, a.b.emit(Op::sparse_softmax_cross_entropy_grad, {a.in(0), a.in(1), a.g}));
}

// out = g (softmax(x) - one_hot(label))
void grad_sparse_grad(GradArgs& a) {
  Builder& b = a.b;
  const NodeId x = a.in(0), labels = a.in(1), g = a.in(2), h = a.g;
  const NodeId p = b.emit(Op::softmax, {x});
  Shape column = b.shape(g);
  column.push_back(1);
  if (a.wants(0)) a.set(0, b.mul(b.emit(Op::softmax_grad, {p, h}), b.reshape(g, column)));
  if (a.wants(2)) {
    const NodeId hot = b.emit(Op::one_hot, {labels}, {{"num_classes", b.shape(x).back()}, {"dtype", b.dtype(x)}});
    a.set(2, b.sum(b.mul(h, b.sub(p, hot)), last(b, x), false));
  }
}

}  // namespace

const OpDef def_softmax = {"softmax", 1, 1, 0, infer_rows, grad_softmax};
const OpDef def_softmax_grad = {"softmax_grad", 2, 2, 0, infer_rows_grad, grad_softmax_grad};
const OpDef def_log_softmax = {"log_softmax", 1, 1, 0, infer_rows, grad_log_softmax};
const OpDef def_log_softmax_grad = {"log_softmax_grad", 2, 2, 0, infer_rows_grad, grad_log_softmax_grad};
const OpDef def_sparse_softmax_cross_entropy = {"sparse_softmax_cross_entropy", 2, 2, kFallible, infer_sparse, grad_sparse};
const OpDef def_sparse_softmax_cross_entropy_grad = {
    "sparse_softmax_cross_entropy_grad", 3, 3, 0, infer_sparse_grad, grad_sparse_grad};

}  // namespace ranvier
