#include "graph/graph.h"

#include <cstring>
#include <functional>

namespace ranvier {
namespace {

// Constants larger than this are not compared with each other.
constexpr std::size_t kDeduplicatedBytes = 64;

std::size_t mix(std::size_t seed, std::size_t value) {
  return seed ^ (value + 0x9e3779b97f4a7c15ull + (seed << 6) + (seed >> 2));
}

std::size_t hash_attribute(const Attribute& value) {
  if (const auto* ints = std::get_if<Ints>(&value)) {
    std::size_t seed = ints->size();
    for (std::int64_t i : *ints) seed = mix(seed, static_cast<std::size_t>(i));
    return seed;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<std::size_t>(*integer);
  if (const auto* body = std::get_if<BodyPtr>(&value)) return std::hash<const void*>{}(body->get());
  return value.index();
}

std::size_t hash_node(const Node& node) {
  std::size_t seed = std::hash<const void*>{}(node.op);
  for (const auto& [name, value] : node.attributes.items()) seed = mix(seed, hash_attribute(value));
  for (NodeId id : node.inputs) seed = mix(seed, static_cast<std::size_t>(id));
  seed = mix(seed, static_cast<std::size_t>(node.type.dtype));
  for (std::int64_t dim : node.type.shape) seed = mix(seed, static_cast<std::size_t>(dim));
  seed = mix(seed, std::hash<const void*>{}(node.variable.get()));
  if (node.data)
    for (std::byte byte : *node.data) seed = mix(seed, static_cast<std::size_t>(byte));
  return seed;
}

bool same(const Node& a, const Node& b) {
  if (a.op != b.op || a.inputs != b.inputs || !(a.type == b.type) || a.variable != b.variable) return false;
  if (!(a.attributes == b.attributes) || !a.data != !b.data) return false;
  return !a.data || *a.data == *b.data;
}

}  // namespace

NodeId Graph::append(Node node) {
  nodes_.push_back(std::move(node));
  return size() - 1;
}

NodeId Graph::intern(Node node) {
  const std::size_t hash = hash_node(node);
  for (auto [it, end] = by_hash_.equal_range(hash); it != end; ++it)
    if (same((*this)[it->second], node)) return it->second;
  const NodeId id = append(std::move(node));
  by_hash_.emplace(hash, id);
  return id;
}

NodeId Graph::add(const OpDef& op, std::vector<NodeId> inputs, Attributes attributes) {
  const int count = static_cast<int>(inputs.size());
  if (count < op.min_inputs || count > op.max_inputs)
    fail(ErrorKind::kType, op.name, ": expected ", op.min_inputs, " to ", op.max_inputs, " inputs, got ", count, ".");
  InferArgs args{op.name, {}, attributes};
  args.inputs.reserve(inputs.size());
  for (NodeId id : inputs) {
    check_id(id);
    args.inputs.push_back(type(id));
  }
  Node node;
  node.op = &op;
  node.type = op.infer(args);
  node.type.shape.size();  // refuses sizes that overflow
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  return intern(std::move(node));
}

NodeId Graph::add_input(const OpDef& op, TensorType type) {
  Node node;
  node.op = &op;
  node.type = type;
  type.shape.size();
  node.attributes.set("index", static_cast<std::int64_t>(inputs_.size()));
  inputs_.push_back(append(std::move(node)));
  return inputs_.back();
}

NodeId Graph::add_variable(const OpDef& op, VariablePtr variable) {
  Node node;
  node.op = &op;
  node.type = variable->type();
  node.variable = std::move(variable);
  return intern(std::move(node));
}

NodeId Graph::add_constant(const OpDef& op, TensorType type, const void* data) {
  const std::size_t bytes = static_cast<std::size_t>(byte_size(type));
  Node node;
  node.op = &op;
  node.type = type;
  node.data = std::make_shared<std::vector<std::byte>>(bytes);
  if (bytes) std::memcpy(node.data->data(), data, bytes);
  return bytes > kDeduplicatedBytes ? append(std::move(node)) : intern(std::move(node));
}

NodeId Graph::add_store(const OpDef& op, VariablePtr variable, NodeId value) {
  check_id(value);
  if (!(type(value) == variable->type()))
    fail(ErrorKind::kValue, "A variable of shape ", variable->type().shape.str(), " and dtype ",
         name_of(variable->type().dtype), " cannot be assigned a value of shape ", type(value).shape.str(),
         " and dtype ", name_of(type(value).dtype), ".");
  Node node;
  node.op = &op;
  node.inputs = {value};
  node.type = type(value);
  node.variable = std::move(variable);
  stores_.push_back(append(std::move(node)));
  return stores_.back();
}

NodeId Graph::adopt(Node node) {
  const bool is_input = node.op->is(kLeaf) && !node.variable && !node.data;
  if (node.op->is(kEffect)) {
    stores_.push_back(append(std::move(node)));
    return stores_.back();
  }
  if (is_input) {
    inputs_.push_back(append(std::move(node)));
    return inputs_.back();
  }
  return node.data && node.data->size() > kDeduplicatedBytes ? append(std::move(node)) : intern(std::move(node));
}

void Graph::check_id(NodeId id) const {
  if (id < 0 || id >= size()) fail(ErrorKind::kIndex, "No node ", id, " in a graph of ", size(), " nodes.");
}

}  // namespace ranvier
