// Reverse-mode differentiation: adds to the graph the nodes that compute gradients.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace ranvier {

// d(sum of all ys) / d(x) for each x of xs, or -1 where no y depends on x by a differentiable path. seeds[i], when not
// -1, is the gradient of ys[i] to start from (of its type); otherwise ones. No seeds: ones for all. `ends` count as
// constants, which depend on nothing; those among xs have derivatives nevertheless.
std::vector<NodeId> gradients(Graph& graph, const std::vector<NodeId>& ys, const std::vector<NodeId>& xs,
                              const std::vector<NodeId>& seeds = {}, const std::vector<NodeId>& ends = {});

}  // namespace ranvier
