// Reverse-mode differentiation: adds to the graph the nodes that compute gradients.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace ranvier {

// d(sum of y) / d(x) for each x of xs, or -1 where y does not depend on x by a differentiable path. `seed`, when
// not -1, is the gradient of y to start from (of y's type); otherwise ones.
std::vector<NodeId> gradients(Graph& graph, NodeId y, const std::vector<NodeId>& xs, NodeId seed = -1);

}  // namespace ranvier
