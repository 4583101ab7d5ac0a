// The list of operations: enumerators, definitions and look-up by name, all expanded from ops.def.
#pragma once

#include <string_view>
#include <vector>

#include "graph/op_def.h"

namespace ranvier {

enum class Op : int {
#define RANVIER_OP(name) name,
#include "ops/ops.def"
#undef RANVIER_OP
  kCount
};

#define RANVIER_OP(name) extern const OpDef def_##name;
#include "ops/ops.def"
#undef RANVIER_OP

const OpDef& op_def(Op op);
Op op_of(const OpDef& def);
const OpDef* find_op(std::string_view name);  // nullptr when there is none
std::vector<const OpDef*> all_ops();

// NumPy's broadcasting; an Error naming `op` and both shapes when they do not fit.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

}  // namespace ranvier
