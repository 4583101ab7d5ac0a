// Steps that run plans: branches and loops.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "runtime/plan.h"

namespace ranvier {

struct ControlStep {
  Step step;
  std::vector<Plan::Body> bodies;  // their arenas' offsets are into the step's scratch
};

// The step of a control node (ops/control.h). Operands: its inputs, then its items, null where nobody wants one, then the
// frames of the bodies, which work in the step's scratch.
ControlStep plan_control(Backend& backend, const Node& node, bool fuse);

}  // namespace ranvier
