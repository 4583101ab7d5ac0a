// A graph as text, one node a line, and in Graphviz's language.
#include <sstream>

#include "graph/graph.h"

namespace ranvier {
namespace {

struct AttributePrinter {
  std::ostream& out;
  void operator()(bool value) const { out << (value ? "true" : "false"); }
  void operator()(std::int64_t value) const { out << value; }
  void operator()(double value) const { out << value; }
  void operator()(DType value) const { out << name_of(value); }
  void operator()(const BodyPtr& value) const { out << "{" << value.get() << "}"; }
  void operator()(const Ints& value) const {
    out << "[";
    for (std::size_t i = 0; i < value.size(); ++i) out << (i ? " " : "") << value[i];
    out << "]";
  }
};

}  // namespace

std::string text_of(const Attributes& attributes) {
  std::ostringstream out;
  out.precision(17);
  for (const auto& [name, value] : attributes.items()) {
    out << " " << name << "=";
    std::visit(AttributePrinter{out}, value);
  }
  return out.str();
}

std::string Graph::text() const {
  std::ostringstream out;
  for (NodeId id = 0; id < size(); ++id) {
    const Node& node = (*this)[id];
    out << "%" << id << " = " << node.op->name;
    for (NodeId input : node.inputs) out << " %" << input;
    out << text_of(node.attributes) << " : " << name_of(node.type.dtype) << node.type.shape.str() << "\n";
  }
  return out.str();
}

std::string Graph::dot() const {
  std::ostringstream out;
  out << "digraph {\n";
  for (NodeId id = 0; id < size(); ++id) {
    const Node& node = (*this)[id];
    out << "  n" << id << " [label=\"" << node.op->name << "\\n" << name_of(node.type.dtype) << node.type.shape.str() << "\"];\n";
    for (NodeId input : node.inputs) out << "  n" << input << " -> n" << id << ";\n";
  }
  out << "}\n";
  return out.str();
}

}  // namespace ranvier
