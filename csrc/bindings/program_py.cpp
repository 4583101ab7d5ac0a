// Programs for Python: compiled graphs, epochs, and single operations run at once.
#include <unistd.h>

#include <cstring>
#include <list>
#include <unordered_map>

#include "base/float_mode.h"
#include "base/rng.h"
#include "base/threading.h"
#include "bindings/convert.h"
#include "bindings/gil.h"
#include "bindings/interrupt.h"
#include "ops/ops.h"
#include "runtime/epoch.h"

namespace ranvier::bindings {
namespace {

using ProgramPtr = std::shared_ptr<Program>;

void fill_input(Frame& frame, std::size_t i, const py::array& array) {
  const TensorType& type = frame.plan().inputs()[i].type;
  if (dtype_of_array(array) != type.dtype || !(shape_of(array) == type.shape))
    fail(ErrorKind::kValue, "Input ", i, ": expected ", name_of(type.dtype), type.shape.str(), ", got ",
         name_of(dtype_of_array(array)), shape_of(array).str(), ".");
  if (const std::int64_t bytes = byte_size(type))
    frame.plan().backend().memory().write(frame.input(i), array.data(), static_cast<std::size_t>(bytes));
}

py::list read_outputs(Frame& frame) {
  py::list results;
  const std::vector<Plan::Value>& outputs = frame.plan().outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    py::array array = new_array(outputs[i].type);
    if (const std::int64_t bytes = byte_size(outputs[i].type))
      frame.plan().backend().memory().read(array.mutable_data(), frame.output(i), static_cast<std::size_t>(bytes));
    results.append(std::move(array));
  }
  return results;
}

// Takes a frame without holding the GIL while waiting: another thread may hold the one and want the other.
Program::Lease lease_of(Program& program, Program::Use use) {
  Program::Lease lease = program.try_lease(use);
  if (!lease) {
    const GilReleased released;
    lease = program.lease(use);
  }
  return lease;
}

py::list run_program(Program& program, const std::vector<py::array>& inputs) {
  const std::size_t wanted = program.plan().inputs().size();
  if (inputs.size() != wanted) fail(ErrorKind::kType, "The program takes ", wanted, " inputs, got ", inputs.size(), ".");
  for (;;) {
    const std::uint32_t before = g_interrupts.load();
    py::object results;
    {
      const Program::Lease frame = lease_of(program, Program::Use::kAny);
      const Profiles profiles = active_profiles();
      for (std::size_t i = 0; i < inputs.size(); ++i) fill_input(*frame, i, contiguous(inputs[i]));
      bool done;
      {
        InterruptGuard guard;
        const GilReleased released;
        const Caller caller;
        const FlushTiny flush_tiny;
        done = frame->run(profiles);
        if (done) frame->readout(profiles);
      }
      if (done) results = read_outputs(*frame);
    }
    // The lease is over: a signal handler may run the same program.
    if (g_interrupts.load() != before) raise_pending_signals();
    if (results) return py::reinterpret_borrow<py::list>(results);
    wait_until_lowered();
  }
}

// Has NumPy refuse to resize the memory of an array for as long as the result lives. A reference alone would not do, nor a
// view, nor an exported buffer: `resize(refcheck=False)` heeds nothing but a weak reference to the array that owns the memory.
py::list pinned(py::object array) {
  py::list pins;
  for (; py::isinstance<py::array>(array); array = array.attr("base")) {
    PyObject* pin = PyWeakref_NewRef(array.ptr(), nullptr);
    if (!pin) throw py::error_already_set();
    pins.append(py::reinterpret_steal<py::object>(pin));
  }
  return pins;
}

// Holds the arrays that an Epoch reads and writes.
struct PyEpoch {
  std::vector<py::array> feeds, results;
  std::vector<py::list> pins;  // of what is read without the GIL
  std::unique_ptr<Epoch> epoch;

  PyEpoch(ProgramPtr full, ProgramPtr tail, const std::vector<py::array>& arrays, std::int64_t batch,
          const std::optional<std::pair<std::uint64_t, std::uint64_t>>& shuffle, bool collect) {
    require(!arrays.empty(), "An epoch needs at least one array.");
    const std::int64_t rows = arrays[0].ndim() ? arrays[0].shape(0) : 0;
    require(rows > 0 && batch > 0, "An epoch needs at least one row and a positive batch size, got ", rows, " and ", batch, ".");
    std::vector<Feed> sources;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      require(arrays[i].ndim() >= 1 && arrays[i].shape(0) == rows, "The arrays of an epoch must have the same number of rows.");
      feeds.push_back(contiguous(arrays[i]));
      pins.push_back(pinned(feeds.back()));
      const std::int64_t row = static_cast<std::int64_t>(arrays[i].size()) / rows;
      check_rows(full->plan(), i, row, batch);
      if (tail) check_rows(tail->plan(), i, row, rows % batch);
      sources.push_back({feeds.back().data(), dtype_of_array(feeds.back()), row});
    }
    std::vector<Sink> sinks;
    for (std::size_t i = 0; collect && i < full->plan().outputs().size(); ++i) {
      TensorType type = full->plan().outputs()[i].type;
      require(type.shape.rank() >= 1 && type.shape[0] == batch, "A collected output must have one row for each of the batch, got shape ",
              type.shape.str(), ".");
      if (tail) {
        TensorType last = type;
        last.shape[0] = rows % batch;
        const std::vector<Plan::Value>& outputs = tail->plan().outputs();
        require(outputs.size() == full->plan().outputs().size() && outputs[i].type == last, "A collected output must have rows of one shape: ",
                type.shape.str(), " for a full batch, but ", outputs[i].type.shape.str(), " for the last one.");
      }
      type.shape[0] = rows;
      results.push_back(new_array(type));
      sinks.push_back({results.back().mutable_data(), byte_size(type) / rows});
    }
    std::optional<Epoch::Shuffle> order;
    if (shuffle) order = Epoch::Shuffle{shuffle->first, shuffle->second};
    epoch = std::make_unique<Epoch>(std::move(full), std::move(tail), std::move(sources), rows, batch, order, std::move(sinks));
  }

  static void check_rows(const Plan& plan, std::size_t i, std::int64_t row, std::int64_t batch) {
    if (i >= plan.inputs().size()) fail(ErrorKind::kType, "The program takes ", plan.inputs().size(), " inputs, got more.");
    const Shape& shape = plan.inputs()[i].type.shape;
    require(shape.rank() >= 1 && shape[0] == batch && shape.size() == row * batch, "Array ", i, ": rows of ", row,
            " elements in batches of ", batch, " do not fill an input of shape ", shape.str(), ".");
  }

  std::int64_t advance(std::int64_t max_steps, double seconds) {
    std::int64_t done = 0;
    for (;;) {
      const std::uint32_t before = g_interrupts.load();
      {
        InterruptGuard guard;
        const GilReleased released;
        const Caller caller;
        done += epoch->advance(max_steps < 0 ? -1 : max_steps - done, seconds);
      }
      if (g_interrupts.load() == before && !interrupted()) return done;
      raise_pending_signals();  // if nothing is raised, go on where it stopped
      wait_until_lowered();
      if (epoch->done() == epoch->steps() || (max_steps >= 0 && done >= max_steps)) return done;
    }
  }

  py::list logs() {
    Program* program = epoch->last();
    if (!program) return py::list();
    const Program::Lease frame = lease_of(*program, Program::Use::kFirst);
    {
      const FlushTiny flush_tiny;
      frame->readout(active_profiles());
    }
    return read_outputs(*frame);
  }
};

// Programs of one operation, kept by signature; the ones used longest ago go when their arenas grow too large.
class EagerCache {
 public:
  ProgramPtr get(const std::string& key) {
    const auto it = index_.find(key);
    if (it == index_.end()) return nullptr;
    recent_.splice(recent_.begin(), recent_, it->second);
    return it->second->second;
  }
  void put(const std::string& key, const ProgramPtr& program) {
    recent_.emplace_front(key, program);
    index_[key] = recent_.begin();
    bytes_ += program->plan().arena_bytes();
    while (recent_.size() > kMostPrograms || bytes_ > kMostBytes) {
      bytes_ -= recent_.back().second->plan().arena_bytes();
      index_.erase(recent_.back().first);
      recent_.pop_back();
    }
  }

 private:
  static constexpr std::size_t kMostPrograms = 256;
  static constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;
  std::list<std::pair<std::string, ProgramPtr>> recent_;  // most recent first
  std::unordered_map<std::string, std::list<std::pair<std::string, ProgramPtr>>::iterator> index_;
  std::int64_t bytes_ = 0;
};

// What profiles call the programs of single operations.
constexpr const char* kEagerName = "single operations";

// Guarded by the GIL. Never destroyed: at exit the interpreter may be gone before it.
EagerCache& eager_cache() {
  static auto* cache = new EagerCache;
  return *cache;
}

// The bytes of a value. A key is made of such pieces, each of a size that what comes before it tells, so that two calls
// have the same key only if all of their pieces are the same.
template <class T>
void put(std::string& key, const T& value) {
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& key, char tag, std::string_view text) {
  put(key, tag);
  put(key, text.size());
  key.append(text);
}

void put_attribute(std::string& key, PyObject* value) {
  if (PyBool_Check(value)) {
    key += value == Py_True ? 'T' : 'F';
  } else if (PyLong_CheckExact(value)) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    put(key, overflow ? 'o' : 'i');  // refused when it is read
    put(key, number);
  } else if (PyFloat_CheckExact(value)) {
    put(key, 'f');
    put(key, PyFloat_AS_DOUBLE(value));
  } else if (PyList_CheckExact(value) || PyTuple_CheckExact(value)) {
    put(key, '[');
    put(key, PySequence_Fast_GET_SIZE(value));
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); ++i) put_attribute(key, PySequence_Fast_GET_ITEM(value, i));
  } else if (PyUnicode_Check(value)) {
    put_text(key, 's', py::handle(value).cast<std::string_view>());
  } else {
    put_text(key, 'r', py::repr(value).cast<std::string>());
  }
}

std::string signature_of(const py::dict& attributes) {
  std::string signature;
  for (const auto& [name, value] : attributes) {
    put_text(signature, 's', name.cast<std::string_view>());
    put_attribute(signature, value.ptr());
  }
  return signature;
}

// Runs one operation at once. `signature` tells its attributes apart; `make` gives them when they are needed.
template <class MakeAttributes>
py::object run_alone(const OpDef& op, const std::string& signature, const std::vector<py::array>& inputs, MakeAttributes&& make) {
  // The process is part of the key: a fork may have copied a program while another thread held its lock.
  std::string key;
  put(key, &op);
  put(key, max_threads());
  put(key, getpid());
  put_text(key, 's', signature);
  for (const py::array& input : inputs) {
    put(key, dtype_of_array(input));
    put(key, static_cast<int>(input.ndim()));
    for (py::ssize_t i = 0; i < input.ndim(); ++i) put(key, input.shape(i));
  }
  ProgramPtr program = eager_cache().get(key);
  if (!program) {
    Graph graph;
    std::vector<NodeId> ids;
    for (const py::array& input : inputs) ids.push_back(graph.add_input(def_input, {dtype_of_array(input), shape_of(input)}));
    const NodeId result = graph.add(op, ids, make());
    program = std::make_shared<Program>(make_plan(cpu_backend(), graph, {result}, true, kEagerName));
    eager_cache().put(key, program);
  }
  return run_program(*program, inputs)[0];
}

py::object eager(const std::string& name, const std::vector<py::array>& inputs, const py::dict& attributes) {
  const OpDef* op = find_op(name);
  if (!op || op->is(kLeaf) || op->is(kEffect)) fail(ErrorKind::kValue, "There is no operation '", name, "'.");
  return run_alone(*op, signature_of(attributes), inputs, [&] { return attributes_from(attributes); });
}

// The value of a node of a graph, given those of its inputs.
py::object evaluate(const Graph& graph, NodeId id, const std::vector<py::array>& inputs) {
  graph.check_id(id);
  const Node& node = graph[id];
  if (!node.op->is(kLeaf)) return run_alone(*node.op, text_of(node.attributes), inputs, [&] { return node.attributes; });
  if (!node.data) fail(ErrorKind::kRuntime, "Node ", id, ", an ", node.op->name, ", has no value of its own.");
  py::array array = new_array(node.type);
  if (!node.data->empty()) std::memcpy(array.mutable_data(), node.data->data(), node.data->size());
  return array;
}

// The order of an epoch's rows, as Epoch has it.
py::array permutation(std::uint64_t key, std::uint64_t stream, std::int64_t size) {
  py::array array = new_array({DType::i64, Shape{size}});
  shuffle_permutation(key, stream, size, static_cast<std::int64_t*>(array.mutable_data()));
  return array;
}

}  // namespace

void bind_program(py::module_& m) {
  py::class_<Program, ProgramPtr>(m, "Program")
      .def(py::init([](const Graph& graph, const std::vector<NodeId>& outputs, bool fuse, std::string name) {
             return std::make_shared<Program>(make_plan(cpu_backend(), graph, outputs, fuse, std::move(name)));
           }),
           py::arg("graph"), py::arg("outputs"), py::arg("fuse") = true, py::arg("name") = "")
      .def("run", &run_program, py::arg("inputs"))
      .def("text", [](const Program& program) { return program.plan().text(); })
      .def_property_readonly("arena_bytes", [](const Program& program) { return program.plan().arena_bytes(); })
      .def_property_readonly("step_count", [](const Program& program) { return program.plan().steps().size(); });

  py::class_<PyEpoch>(m, "Epoch")
      .def(py::init<ProgramPtr, ProgramPtr, const std::vector<py::array>&, std::int64_t,
                    const std::optional<std::pair<std::uint64_t, std::uint64_t>>&, bool>(),
           py::arg("full"), py::arg("tail").none(true), py::arg("arrays"), py::arg("batch"), py::arg("shuffle") = py::none(),
           py::arg("collect") = false)
      .def("advance", &PyEpoch::advance, py::arg("max_steps") = -1, py::arg("seconds") = 0.0)
      .def("logs", &PyEpoch::logs)
      .def_readonly("results", &PyEpoch::results)
      .def_property_readonly("steps", [](const PyEpoch& e) { return e.epoch->steps(); })
      .def_property_readonly("done", [](const PyEpoch& e) { return e.epoch->done(); });

  m.def("eager", &eager, py::arg("op"), py::arg("inputs"), py::arg("attributes"));
  m.def("evaluate", &evaluate, py::arg("graph"), py::arg("id"), py::arg("inputs"));
  m.def("permutation", &permutation, py::arg("key"), py::arg("stream"), py::arg("size"));
}

}  // namespace ranvier::bindings
