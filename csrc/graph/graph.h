// A graph: nodes in topological order (a node's inputs come before it), each with one output.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/op_def.h"
#include "graph/variable.h"

namespace ranvier {

struct Node {
  const OpDef* op = nullptr;
  std::vector<NodeId> inputs;
  Attributes attributes;
  TensorType type;
  VariablePtr variable;                          // of `variable` (read) and `store` (written)
  std::shared_ptr<std::vector<std::byte>> data;  // of `constant`
};

class Graph {
 public:
  // Checks the inputs against the op, infers the type and appends. Identical pure nodes are made once.
  NodeId add(const OpDef& op, std::vector<NodeId> inputs, Attributes attributes = {});
  NodeId add_input(const OpDef& op, TensorType type);
  NodeId add_variable(const OpDef& op, VariablePtr variable);  // one node per variable
  NodeId add_constant(const OpDef& op, TensorType type, const void* data);
  NodeId add_store(const OpDef& op, VariablePtr variable, NodeId value);
  // A node of another graph, with inputs of this one; its type stands.
  NodeId adopt(Node node);

  const Node& operator[](NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  NodeId size() const { return static_cast<NodeId>(nodes_.size()); }
  const TensorType& type(NodeId id) const { return (*this)[id].type; }
  const std::vector<NodeId>& inputs() const { return inputs_; }  // the `input` nodes, in order
  const std::vector<NodeId>& stores() const { return stores_; }

  void check_id(NodeId id) const;
  std::string text() const;
  std::string dot() const;

 private:
  NodeId append(Node node);
  NodeId intern(Node node);  // the equal node if there is one, else appended

  std::vector<Node> nodes_;
  std::vector<NodeId> inputs_, stores_;
  std::unordered_multimap<std::size_t, NodeId> by_hash_;
};

// " name=value" for each attribute; equal for equal attributes only.
std::string text_of(const Attributes& attributes);

}  // namespace ranvier
