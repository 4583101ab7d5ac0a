#include "ops/builder.h"

namespace ranvier {

NodeId Builder::scalar(DType dtype, double value) {
  const TensorType type{dtype, {}};
  switch (dtype) {
#define RANVIER_X(name, T, text)                              \
  case DType::name: {                                         \
    const T typed = static_cast<T>(value);                    \
    return graph_.add_constant(def_constant, type, &typed);   \
  }
    RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  }
  fail(ErrorKind::kType, "unknown dtype");
}

NodeId Builder::cast(NodeId x, DType dtype) {
  return this->dtype(x) == dtype ? x : emit(Op::cast, {x}, {{"dtype", dtype}});
}

NodeId Builder::reshape(NodeId x, Shape shape) {
  return this->shape(x) == shape ? x : emit(Op::reshape, {x}, {{"shape", shape.to_vector()}});
}

NodeId Builder::broadcast_to(NodeId x, Shape shape) {
  return this->shape(x) == shape ? x : emit(Op::broadcast_to, {x}, {{"shape", shape.to_vector()}});
}

NodeId Builder::unbroadcast(NodeId x, Shape shape) {
  const Shape from = this->shape(x);
  if (from == shape) return x;
  const int extra = from.rank() - shape.rank();
  Ints axes;
  for (int i = 0; i < from.rank(); ++i)
    if (i < extra || (shape[i - extra] == 1 && from[i] != 1)) axes.push_back(i);
  return reshape(axes.empty() ? x : sum(x, axes, true), shape);
}

}  // namespace ranvier
