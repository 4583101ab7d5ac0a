// Steps that run programs: branches and loops.
#pragma once

#include <cstdint>

#include "backends/backend.h"
#include "graph/graph.h"

namespace ranvier {

// The step of a control node (ops/control.h). Operands: its inputs, then its items, null where nobody wants one. The
// programs inside work in the step's scratch, which all steps share.
Step plan_control(const Node& node, bool fuse);

}  // namespace ranvier
