// What the compiler knows of an operation. The instances live in ops/, one per line of ops.def.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"
#include "graph/attributes.h"

namespace ranvier {

using NodeId = std::int32_t;

struct TensorType {
  DType dtype = DType::f32;
  Shape shape;
  bool operator==(const TensorType& other) const { return dtype == other.dtype && shape == other.shape; }
};

inline std::int64_t byte_size(const TensorType& type) {
  return type.shape.size() * static_cast<std::int64_t>(size_of(type.dtype));
}

enum Trait : unsigned {
  kElementwise = 1u << 0,  // out[i] depends on the (broadcast) inputs' [i] alone: may be fused
  kAlias = 1u << 1,        // the output is the first input's bytes under another shape
  kLeaf = 1u << 2,         // takes no inputs and is computed by nobody: input, variable, constant
  kEffect = 1u << 3,       // is wanted for what it does: store
  kRandom = 1u << 4,       // reads a seed
  kFallible = 1u << 5,     // may refuse its data: runs before any variable is written
  kControl = 1u << 6,      // runs graphs of its own and has several outputs, each an `item` (ops/control.h)
  kProjection = 1u << 7,   // an output of a kControl node, computed with it
  kCopy = 1u << 8,         // out[i] is the (broadcast) first input's [i]: where the types agree, it is that input
  kReduction = 1u << 9,    // over axes of one element it is its operand under another shape
};

// What an element of an elementwise operation takes, by classes.
enum class CostClass : std::uint8_t { free, cheap, division, transcendental, power };

// What a shape rule sees.
struct InferArgs {
  const char* op;
  std::vector<TensorType> inputs;
  const Attributes& attributes;
};

// The result of an operation as a matrix that is computed block by block, each block once and for good. An elementwise chain
// may then follow on every block while it is in cache (an epilogue), the update of a variable too.
struct Contraction {
  std::int64_t rows, columns;
};

class GradArgs;  // ops/gradient.h

struct OpDef {
  const char* name;
  int min_inputs;
  int max_inputs;
  unsigned traits;
  TensorType (*infer)(const InferArgs& args);
  // Adds the inputs' gradients given the output's; nullptr: not differentiable, the gradient is zero.
  void (*grad)(GradArgs& args);
  CostClass cost = CostClass::cheap;
  // Of operations that are contractions, at least with some operands; nullptr: never.
  std::optional<Contraction> (*contraction)(const InferArgs& args, const TensorType& output) = nullptr;

  bool is(Trait trait) const { return (traits & trait) != 0; }
};

}  // namespace ranvier
