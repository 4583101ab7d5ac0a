// What a gradient rule sees: the node, the gradient of its output, and where to put those of its inputs.
#pragma once

#include <vector>

#include "ops/builder.h"

namespace ranvier {

class GradArgs {
 public:
  GradArgs(Graph& graph, NodeId output, NodeId gradient, const std::vector<bool>& wanted)
      : b(graph), y(output), g(gradient), node_(graph[output]), wanted_(wanted), results_(node_.inputs.size(), -1) {}

  Builder b;
  const NodeId y;  // the node's output
  const NodeId g;  // its gradient, of the same type

  NodeId in(int i) const { return node_.inputs[static_cast<std::size_t>(i)]; }
  int inputs() const { return static_cast<int>(node_.inputs.size()); }
  const Attributes& attributes() const { return node_.attributes; }
  bool wants(int i) const { return wanted_[static_cast<std::size_t>(in(i))]; }
  // The gradient of input i; what broadcasting repeated is summed.
  void set(int i, NodeId gradient) {
    results_[static_cast<std::size_t>(i)] = b.unbroadcast(gradient, b.shape(in(i)));
  }
  const std::vector<NodeId>& results() const { return results_; }

 private:
  const Node node_;  // a copy: rules add nodes, which may move the graph's own
  const std::vector<bool>& wanted_;
  std::vector<NodeId> results_;
};

}  // namespace ranvier
