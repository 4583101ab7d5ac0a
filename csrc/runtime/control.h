// Steps that run programs: branches and loops.
#pragma once

#include <cstdint>

#include "backends/backend.h"
#include "graph/graph.h"

namespace ranvier {

// The step of a control node (ops/control.h). Operands: its inputs, then its items, null where nobody wants one. Adds the
// memory of the programs inside to `nested_bytes`.
Step plan_control(const Node& node, bool fuse, std::int64_t& nested_bytes);

}  // namespace ranvier
