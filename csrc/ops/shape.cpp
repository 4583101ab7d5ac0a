// Operations that move elements and compute nothing.
#include <algorithm>

#include "ops/gradient.h"

namespace ranvier {
namespace {

// A value under a name of its own (`tag` makes it one), so that derivatives can be taken by it alone.
TensorType infer_identity(const InferArgs& args) { return args.inputs[0]; }
void grad_identity(GradArgs& a) { a.set(0, a.g); }

TensorType infer_reshape(const InferArgs& args) {
  const Shape target(args.attributes.get<Ints>("shape"));
  const Shape& from = args.inputs[0].shape;
  require(from.size() == target.size(), "reshape: shape ", from.str(), " of ", from.size(),
          " elements cannot become ", target.str(), ".");
  return {args.inputs[0].dtype, target};
}
void grad_reshape(GradArgs& a) { a.set(0, a.b.reshape(a.g, a.b.shape(a.in(0)))); }

// The same bytes read as another type; the last axis grows or shrinks with the elements' size.
TensorType infer_bitcast(const InferArgs& args) {
  const TensorType& x = args.inputs[0];
  const DType dtype = args.attributes.get<DType>("dtype");
  if (dtype == DType::b8 && x.dtype != DType::b8)
    fail(ErrorKind::kType, "bitcast: the bits of ", name_of(x.dtype), " are no booleans.");
  const auto from = static_cast<std::int64_t>(size_of(x.dtype)), to = static_cast<std::int64_t>(size_of(dtype));
  Shape shape = x.shape;
  if (from == to) return {dtype, shape};
  require(shape.rank() >= 1, "bitcast: a scalar of ", name_of(x.dtype), " cannot become ", name_of(dtype),
          ": the sizes differ, and there is no axis to change.");
  require(shape.back() * from % to == 0, "bitcast: a last axis of ", shape.back(), " elements of ", name_of(x.dtype),
          " is not a whole number of ", name_of(dtype), ".");
  shape[shape.rank() - 1] = shape.back() * from / to;
  return {dtype, shape};
}

TensorType infer_transpose(const InferArgs& args) {
  const Ints& axes = args.attributes.get<Ints>("axes");
  const Shape& from = args.inputs[0].shape;
  std::vector<std::int64_t> dims;
  for (std::int64_t axis : axes) {
    require(axis >= 0 && axis < from.rank() && std::count(axes.begin(), axes.end(), axis) == 1,
            "transpose: the axes must be a permutation of those of shape ", from.str(), ".");
    dims.push_back(from[static_cast<int>(axis)]);
  }
  require(static_cast<int>(dims.size()) == from.rank(), "transpose: expected ", from.rank(), " axes, got ", dims.size(), ".");
  return {args.inputs[0].dtype, Shape(dims)};
}
void grad_transpose(GradArgs& a) {
  const Ints axes = a.attributes().get<Ints>("axes");
  Ints inverse(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) inverse[static_cast<std::size_t>(axes[i])] = static_cast<std::int64_t>(i);
  a.set(0, a.b.emit(Op::transpose, {a.g}, {{"axes", inverse}}));
}

TensorType infer_concatenate(const InferArgs& args) {
  const std::int64_t axis = args.attributes.get<std::int64_t>("axis");
  TensorType result = args.inputs[0];
  require(axis >= 0 && axis < result.shape.rank(), "concatenate: axis ", axis, " is out of range for shape ",
          result.shape.str(), ".");
  const int at = static_cast<int>(axis);
  for (std::size_t i = 1; i < args.inputs.size(); ++i) {
    Shape shape = args.inputs[i].shape;
    const std::int64_t part = shape.rank() > at ? shape[at] : 0;
    if (shape.rank() == result.shape.rank()) shape[at] = result.shape[at];
    if (!(shape == result.shape) || args.inputs[i].dtype != result.dtype)
      fail(ErrorKind::kValue, "concatenate: ", name_of(args.inputs[i].dtype), args.inputs[i].shape.str(),
           " does not fit ", name_of(args.inputs[0].dtype), args.inputs[0].shape.str(), " along axis ", axis, ".");
    result.shape[at] += part;
    result.shape.size();  // refuses sums that are too large
  }
  return result;
}
void grad_concatenate(GradArgs& a) {
  const int axis = static_cast<int>(a.attributes().get<std::int64_t>("axis"));
  std::int64_t offset = 0;
  for (int i = 0; i < a.inputs(); ++i) {
    const Shape& shape = a.b.shape(a.in(i));
    const std::int64_t extent = shape[axis];
    if (a.wants(i)) {
      Ints begin(static_cast<std::size_t>(shape.rank()), 0), stride(begin.size(), 1), size = shape.to_vector();
      begin[static_cast<std::size_t>(axis)] = offset;
      a.set(i, a.b.slice(a.g, begin, size, stride));
    }
    offset += extent;
  }
}

// Elements begin, begin + stride, ... (size of them) along each axis must lie inside `whole`.
void check_window(const InferArgs& args, const Shape& whole, const Shape& size) {
  const Ints &begin = args.attributes.get<Ints>("begin"), &stride = args.attributes.get<Ints>("stride");
  require(begin.size() == stride.size() && static_cast<int>(begin.size()) == whole.rank() && size.rank() == whole.rank(),
          args.op, ": begin, size and stride need one entry for each axis of ", whole.str(), ".");
  for (int i = 0; i < whole.rank(); ++i) {
    if (size[i] == 0) continue;
    const std::int64_t first = begin[static_cast<std::size_t>(i)];
    std::int64_t last = 0;
    const bool overflows = __builtin_mul_overflow(size[i] - 1, stride[static_cast<std::size_t>(i)], &last) ||
                           __builtin_add_overflow(last, first, &last);
    require(!overflows && first >= 0 && first < whole[i] && last >= 0 && last < whole[i], args.op, ": elements ", first, " to ", last,
            " of axis ", i, " are outside shape ", whole.str(), ".");
  }
}

TensorType infer_slice(const InferArgs& args) {
  const Shape size(args.attributes.get<Ints>("size"));
  check_window(args, args.inputs[0].shape, size);
  return {args.inputs[0].dtype, size};
}
void grad_slice(GradArgs& a) {
  a.set(0, a.b.emit(Op::unslice, {a.g},
                    {{"shape", a.b.shape(a.in(0)).to_vector()},
                     {"begin", a.attributes().get<Ints>("begin")},
                     {"stride", a.attributes().get<Ints>("stride")}}));
}

TensorType infer_unslice(const InferArgs& args) {
  const Shape whole(args.attributes.get<Ints>("shape"));
  check_window(args, whole, args.inputs[0].shape);
  for (std::int64_t stride : args.attributes.get<Ints>("stride"))
    require(stride != 0, "unslice: a stride of 0 would write an element twice.");
  return {args.inputs[0].dtype, whole};
}
void grad_unslice(GradArgs& a) {
  a.set(0, a.b.slice(a.g, a.attributes().get<Ints>("begin"), a.b.shape(a.in(0)).to_vector(),
                     a.attributes().get<Ints>("stride")));
}

}  // namespace

const OpDef def_identity = {"identity", 1, 1, kAlias | kCopy, infer_identity, grad_identity};
const OpDef def_reshape = {"reshape", 1, 1, kAlias, infer_reshape, grad_reshape};
const OpDef def_bitcast = {"bitcast", 1, 1, 0, infer_bitcast, nullptr};
const OpDef def_transpose = {"transpose", 1, 1, 0, infer_transpose, grad_transpose};
const OpDef def_concatenate = {"concatenate", 1, 1 << 16, 0, infer_concatenate, grad_concatenate};
const OpDef def_slice = {"slice", 1, 1, 0, infer_slice, grad_slice};
const OpDef def_unslice = {"unslice", 1, 1, 0, infer_unslice, grad_unslice};

}  // namespace ranvier
