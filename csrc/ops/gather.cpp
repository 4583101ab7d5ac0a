// Rows chosen by an index.
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
const OpDef def_one_hot = {"one_hot", 1, 1, 0, infer_one_hot, nullptr};

}  // namespace ranvier
