// Random tensors as pure functions of a seed, an int64 pair (key, stream).
#include "ops/ops.h"

namespace ranvier {
namespace {

void check_seed(const InferArgs& args) {
  if (!(args.inputs[0] == TensorType{DType::i64, Shape{2}}))
    fail(ErrorKind::kValue, args.op, ": the seed must be int64 of shape (2,), got ", name_of(args.inputs[0].dtype),
         " of shape ", args.inputs[0].shape.str(), ".");
}

TensorType infer_float(const InferArgs& args) {
  check_seed(args);
  const DType dtype = args.attributes.get<DType>("dtype");
  if (!is_float(dtype)) fail(ErrorKind::kType, args.op, ": expected float32 or float64, got ", name_of(dtype), ".");
  return {dtype, Shape(args.attributes.get<Ints>("shape"))};
}

TensorType infer_integers(const InferArgs& args) {
  check_seed(args);
  const std::int64_t low = args.attributes.get<std::int64_t>("low"), high = args.attributes.get<std::int64_t>("high");
  require(low < high, "random_integers: expected low < high, got ", low, " and ", high, ".");
  return {DType::i64, Shape(args.attributes.get<Ints>("shape"))};
}

}  // namespace

const OpDef def_random_uniform = {"random_uniform", 1, 1, kRandom, infer_float, nullptr};
const OpDef def_random_normal = {"random_normal", 1, 1, kRandom, infer_float, nullptr};
const OpDef def_truncated_normal = {"truncated_normal", 1, 1, kRandom, infer_float, nullptr};
const OpDef def_random_integers = {"random_integers", 1, 1, kRandom, infer_integers, nullptr};

}  // namespace ranvier
