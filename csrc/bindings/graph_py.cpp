// Graphs and variable storage for Python: what tracing needs.
#include "bindings/convert.h"
#include "ops/control.h"
#include "ops/ops.h"
#include "passes/autodiff.h"

namespace ranvier::bindings {
namespace {

// (id, dtype, shape): all that Python keeps of a node.
py::tuple describe(const Graph& graph, NodeId id) {
  const TensorType& type = graph.type(id);
  return py::make_tuple(id, std::string(name_of(type.dtype)), shape_tuple(type.shape));
}

const OpDef& op_named(const std::string& name) {
  const OpDef* op = find_op(name);
  if (!op || op->is(kLeaf) || op->is(kEffect)) fail(ErrorKind::kValue, "There is no operation '", name, "'.");
  return *op;
}

struct AttributeToPython {
  template <class T>
  py::object operator()(const T& value) const { return py::cast(value); }
  py::object operator()(DType value) const { return py::str(std::string(name_of(value))); }
  py::object operator()(const BodyPtr& value) const { return py::cast(std::const_pointer_cast<Body>(value)); }
};

NodeId add_constant(Graph& graph, const py::array& value) {
  const py::array array = contiguous(value);
  return graph.add_constant(def_constant, {dtype_of_array(array), shape_of(array)}, array.data());
}

// The storage as an array that shares its memory and keeps it alive.
py::array view(const VariablePtr& storage) {
  auto* owner = new VariablePtr(storage);
  py::capsule base(owner, [](void* pointer) { delete static_cast<VariablePtr*>(pointer); });
  const TensorType& type = storage->type();
  const Buffer& buffer = storage->buffer();
  void* const data = buffer.memory().host(buffer.data());
  if (!data && buffer.data()) fail(ErrorKind::kRuntime, "The host cannot share the memory of ", buffer.memory().device(), ".");
  return py::array(numpy_dtype(type.dtype), std::vector<py::ssize_t>(type.shape.begin(), type.shape.end()), data, base);
}

}  // namespace

void bind_graph(py::module_& m) {
  py::class_<VariableStorage, VariablePtr>(m, "Storage")
      .def(py::init([](const std::string& dtype, const std::vector<std::int64_t>& shape) {
             return std::make_shared<VariableStorage>(TensorType{dtype_from_name(dtype), Shape(shape)});
           }),
           py::arg("dtype"), py::arg("shape"))
      .def("array", &view);

  py::class_<Graph, std::shared_ptr<Graph>>(m, "Graph")
      .def(py::init<>())
      .def("emit", [](Graph& graph, const std::string& op, const std::vector<NodeId>& inputs, const py::dict& attributes) {
             return describe(graph, graph.add(op_named(op), inputs, attributes_from(attributes)));
           })
      .def("input", [](Graph& graph, const std::string& dtype, const std::vector<std::int64_t>& shape) {
             return describe(graph, graph.add_input(def_input, {dtype_from_name(dtype), Shape(shape)}));
           })
      .def("constant", [](Graph& graph, const py::array& value) { return describe(graph, add_constant(graph, value)); })
      .def("variable", [](Graph& graph, const VariablePtr& storage) { return describe(graph, graph.add_variable(def_variable, storage)); })
      .def("store", [](Graph& graph, const VariablePtr& storage, NodeId value) { graph.add_store(def_store, storage, value); })
      .def("gradients", [](Graph& graph, const std::vector<NodeId>& ys, const std::vector<NodeId>& xs, const std::vector<NodeId>& seeds,
                           const std::vector<NodeId>& ends) {
             py::list result;
             for (NodeId id : gradients(graph, ys, xs, seeds, ends)) result.append(id < 0 ? py::object(py::none()) : describe(graph, id));
             return result;
           }, py::arg("ys"), py::arg("xs"), py::arg("seeds") = std::vector<NodeId>{}, py::arg("ends") = std::vector<NodeId>{})
      .def("items", [](Graph& graph, NodeId control, std::size_t count) {
             py::list result;
             for (std::size_t i = 0; i < count; ++i) result.append(describe(graph, add_item(graph, control, i)));
             return result;
           })
      .def("producer", [](const Graph& graph, NodeId id) {
             graph.check_id(id);
             py::list inputs;
             for (NodeId input : graph[id].inputs) inputs.append(describe(graph, input));
             return py::make_tuple(graph[id].op->name, inputs);
           })
      .def("operation", [](const Graph& graph, NodeId id) {
             graph.check_id(id);
             const Node& node = graph[id];
             py::dict attributes;
             for (const auto& [name, value] : node.attributes.items()) attributes[py::str(name)] = std::visit(AttributeToPython{}, value);
             return py::make_tuple(node.op->name, node.inputs, attributes, node.op->is(kElementwise));
           })
      .def("__len__", [](const Graph& graph) { return graph.size(); })
      .def("text", &Graph::text)
      .def("dot", &Graph::dot);

  py::class_<Body, std::shared_ptr<Body>>(m, "Body")
      .def(py::init([](const Graph& graph, const std::vector<NodeId>& inputs, const std::vector<NodeId>& outputs) {
             return std::const_pointer_cast<Body>(make_body(graph, inputs, outputs));
           }),
           py::arg("graph"), py::arg("inputs"), py::arg("outputs"))
      .def("text", [](const Body& body) { return body.graph.text(); });

  m.def("op_names", [] {
    std::vector<std::string> names;
    for (const OpDef* op : all_ops())
      if (!op->is(kLeaf) && !op->is(kEffect)) names.emplace_back(op->name);
    return names;
  });
  m.def("is_differentiable", [](const std::string& op) { return op_named(op).grad != nullptr; });
}

}  // namespace ranvier::bindings
