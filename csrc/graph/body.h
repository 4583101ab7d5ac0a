// A graph used inside a node of another: the body of a loop, an arm of a branch, a gradient rule of the user's.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace ranvier {

// A pure function: it has inputs and outputs, and neither variables nor stores.
struct Body {
  Graph graph;  // its inputs are the function's, in order
  std::vector<NodeId> outputs;

  const TensorType& input(std::size_t i) const { return graph.type(graph.inputs()[i]); }
  const TensorType& output(std::size_t i) const { return graph.type(outputs[i]); }
};

// The part of `graph` that `outputs` need, as a function of `inputs` (input nodes, in the order wanted). An Error when
// an input that is needed is not among them, or a variable is read.
BodyPtr make_body(const Graph& graph, const std::vector<NodeId>& inputs, const std::vector<NodeId>& outputs);

// Adds the nodes of a body to a graph, `inputs` in the place of its inputs; returns its outputs there.
std::vector<NodeId> inline_body(Graph& into, const Body& body, const std::vector<NodeId>& inputs);

// The same body after the input nodes `kept` only, by position.
BodyPtr with_inputs(const Body& body, const std::vector<std::size_t>& kept);

// By position: whether an output depends on the input.
std::vector<bool> needed_inputs(const Body& body);

}  // namespace ranvier
