// Leaves and effects: what a graph takes, holds and writes. Made by Graph::add_*, never inferred.
#include "ops/ops.h"

namespace ranvier {

const OpDef def_input = {"input", 0, 0, kLeaf, nullptr, nullptr};
const OpDef def_variable = {"variable", 0, 0, kLeaf, nullptr, nullptr};
const OpDef def_constant = {"constant", 0, 0, kLeaf, nullptr, nullptr};
const OpDef def_store = {"store", 1, 1, kEffect, nullptr, nullptr};

}  // namespace ranvier
