// The gradients of control flow: of a branch a branch, of a loop a loop the other way.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace ranvier {

// Adds the gradients of a control node's inputs, given those of its items (by number; -1 where there is none); -1 for an
// input that is not wanted (`wanted`: by node). An Error for a while_loop.
std::vector<NodeId> control_gradient(Graph& graph, NodeId id, const std::vector<NodeId>& item_gradients,
                                     const std::vector<bool>& wanted);

}  // namespace ranvier
