// Rewrites a graph into an equal one with less to do. Every rule keeps the bits of the results.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace ranvier {

struct Simplified {
  Graph graph;                   // dead nodes are gone; inputs stay, in their order
  std::vector<NodeId> outputs;   // the given outputs in it
};

Simplified simplify(const Graph& graph, const std::vector<NodeId>& outputs);

}  // namespace ranvier
