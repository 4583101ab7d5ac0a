// Kernels for their tests and for measurements, one at a time: `_core.kernels.table(isa)` has every row of
// kernels.def as a Python callable with the row's own parameters, for any instruction set of this processor,
// and table("reference") the plain references under the same names. Not for users: an array is passed as its
// bare address, so that tests can pass views, aliases and guarded memory; its size is the caller's business.
#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <iterator>
#include <type_traits>

#include "base/cpu_features.h"
#include "base/memory.h"
#include "base/rng.h"
#include "bindings/convert.h"
#include "kernels/elementwise/elementwise_reference.h"
#include "kernels/gather/gather_reference.h"
#include "kernels/gemm/bf16.h"
#include "kernels/gemm/gemm.h"
#include "kernels/pool/pool_reference.h"
#include "kernels/random/random_reference.h"
#include "kernels/reduce/reduce_reference.h"
#include "kernels/softmax/softmax_reference.h"
#include "kernels/table.h"

namespace ranvier::bindings {
namespace {

constexpr const char* kEwNames[] = {
#define RANVIER_EW(name, ...) #name,
#include "kernels/elementwise/elementwise.def"
#undef RANVIER_EW
};
constexpr const char* kFormNames[] = {"arrays", "scalar_left", "scalar_right"};
constexpr const char* kReduceNames[] = {"sum", "prod", "max", "min", "any", "all"};

template <class E, std::size_t N>
E named(const char* const (&names)[N], py::handle value) {
  const auto name = value.cast<std::string>();
  for (std::size_t i = 0; i < N; ++i)
    if (name == names[i]) return static_cast<E>(i);
  fail(ErrorKind::kValue, "There is no '", name, "' among ", names[0], " ... ", names[N - 1], ".");
}

// A kernel's parameter of type T from a Python value.
template <class T>
struct Parameter {
  static T from(py::handle value) { return value.cast<T>(); }
};
template <>
struct Parameter<DType> {
  static DType from(py::handle value) { return dtype_from_name(value.cast<std::string>()); }
};
template <>
struct Parameter<Ew> {
  static Ew from(py::handle value) { return named<Ew>(kEwNames, value); }
};
template <>
struct Parameter<EwForm> {
  static EwForm from(py::handle value) { return named<EwForm>(kFormNames, value); }
};
template <>
struct Parameter<ReduceOp> {
  static ReduceOp from(py::handle value) { return named<ReduceOp>(kReduceNames, value); }
};
template <>
struct Parameter<EwPair> {
  static EwPair from(py::handle value) {
    const auto fields = value.cast<py::tuple>();
    require(fields.size() == 5, "A pair is (first, its form, second, first_is_right, other_is_scalar).");
    return {Parameter<Ew>::from(fields[0]), Parameter<EwForm>::from(fields[1]), Parameter<Ew>::from(fields[2]),
            fields[3].cast<bool>(), fields[4].cast<bool>()};
  }
};
template <>
struct Parameter<RandomKey> {
  static RandomKey from(py::handle value) {
    const auto [key, stream] = value.cast<std::pair<std::uint64_t, std::uint64_t>>();
    return {key, stream};
  }
};
// Declared here, for a window's tables are arrays.
template <>
struct Parameter<ImageWindows> {
  static ImageWindows from(py::handle value);
};
template <>
struct Parameter<ImageBox> {
  static ImageBox from(py::handle value) {
    const auto ends = value.cast<std::array<std::pair<std::int64_t, std::int64_t>, 3>>();
    ImageBox box{};
    for (std::size_t d = 0; d < 3; ++d) box.begin[d] = ends[d].first, box.end[d] = ends[d].second;
    return box;
  }
};
// An array's first element. None is a null pointer.
template <class T>
struct Parameter<T*> {
  static T* from(py::handle value) {
    if (value.is_none()) return nullptr;
    if (!py::isinstance<py::array>(value)) fail(ErrorKind::kType, "A pointer takes an array or None.");
    auto array = py::reinterpret_borrow<py::array>(value);
    if constexpr (!std::is_void_v<T>)
      if (dtype_of_array(array) != dtype_of<std::remove_const_t<T>>)
        fail(ErrorKind::kType, "Expected an array of ", name_of(dtype_of<std::remove_const_t<T>>), ".");
    if constexpr (std::is_const_v<T>) return static_cast<T*>(array.data());
    else return static_cast<T*>(array.mutable_data());  // refuses arrays that may not be written
  }
};

// ((in, begin, end), ... for each axis, inner), where begin and end are arrays of int64.
ImageWindows Parameter<ImageWindows>::from(py::handle value) {
  const auto fields = value.cast<py::tuple>();
  require(fields.size() == 4, "Windows are three axes and the innermost size.");
  ImageWindows windows{};
  for (std::size_t d = 0; d < 3; ++d) {
    const auto axis = fields[d].cast<py::tuple>();
    windows.axis[d] = {axis[0].cast<std::int64_t>(), static_cast<std::int64_t>(py::len(axis[1])), Parameter<const std::int64_t*>::from(axis[1]),
                       Parameter<const std::int64_t*>::from(axis[2])};
  }
  windows.inner = fields[3].cast<std::int64_t>();
  return windows;
}

template <class R, class... A>
py::object callable(std::function<R(A...)> fn);

template <class R>
py::object result(const R& value) {
  if constexpr (std::is_arithmetic_v<R>) return py::cast(value);
  else if (!value) return py::none();  // a lookup that found nothing
  else return callable(std::function(value));
}

template <class R, class... A, std::size_t... I>
py::object call(const std::function<R(A...)>& fn, const py::args& args, std::index_sequence<I...>) {
  if (args.size() != sizeof...(A))
    fail(ErrorKind::kType, "The kernel takes ", sizeof...(A), " arguments, got ", args.size(), ".");
  if constexpr (std::is_void_v<R>) return fn(Parameter<A>::from(args[I])...), py::none();
  else return result(fn(Parameter<A>::from(args[I])...));
}

template <class R, class... A>
py::object callable(std::function<R(A...)> fn) {
  return py::cpp_function([fn = std::move(fn)](const py::args& args) {
    return call(fn, args, std::index_sequence_for<A...>{});
  });
}

template <class F>
py::object bound(F fn) {
  return callable(std::function(fn));
}

// The references under the names and with the parameters of the kernels; what a reference does not have
// (scalar forms, parts of a range, 32-bit results of arg_reduce) is not found.
std::function<std::remove_pointer_t<EwFn>> ew_reference_lookup(Ew op, DType dtype, EwForm form) {
  const bool offered = ew_reference(op, dtype, 0, nullptr, nullptr, nullptr, nullptr);
  if (form != EwForm::kArrays || !offered) return nullptr;
  return [=](std::int64_t n, void* out, const void* a, const void* b, const void* c) {
    ew_reference(op, dtype, n, out, a, b, c);
  };
}

std::function<std::remove_pointer_t<EwFn>> cast_reference_lookup(DType from, DType to) {
  return [=](std::int64_t n, void* out, const void* a, const void*, const void*) {
    ew_cast_reference(from, to, n, out, a);
  };
}

using ReduceFunction = std::function<std::remove_pointer_t<ReduceFn>>;

ReduceFunction reduce_reference_lookup(ReduceOp op, DType dtype) {
  if (!reference::reduce(op, dtype, 0, 0, 0, nullptr, nullptr)) return nullptr;
  return [=](std::int64_t reduce, std::int64_t inner, std::int64_t begin, std::int64_t end,
             std::int64_t inner_begin, std::int64_t inner_end, const void* in, void* out) {
    require(begin == 0 && inner_begin == 0 && inner_end == inner, "The reference reduces whole arrays.");
    reference::reduce(op, dtype, end, reduce, inner, in, out);
  };
}

ReduceFunction arg_reduce_reference_lookup(bool largest, DType dtype, DType index) {
  const bool offered = reference::arg_reduce(largest, dtype, 0, 1, 0, nullptr, nullptr);
  if (index != DType::i64 || !offered) return nullptr;
  return [=](std::int64_t reduce, std::int64_t inner, std::int64_t begin, std::int64_t end,
             std::int64_t inner_begin, std::int64_t inner_end, const void* in, void* out) {
    require(begin == 0 && inner_begin == 0 && inner_end == inner, "The reference reduces whole arrays.");
    reference::arg_reduce(largest, dtype, end, reduce, inner, in, static_cast<std::int64_t*>(out));
  };
}

// A range of a stream from the reference of one element, in the reference's own type: normal draws are double.
template <class T>
auto draws(T (*draw)(RandomKey, std::int64_t)) {
  return [draw](RandomKey key, std::int64_t begin, std::int64_t end, T* out) {
    for (std::int64_t i = begin; i < end; ++i) out[i - begin] = draw(key, i);
  };
}

void integers_reference(RandomKey key, std::int64_t begin, std::int64_t end, std::int64_t low,
                        std::int64_t high, std::int64_t* out) {
  for (std::int64_t i = begin; i < end; ++i) out[i - begin] = reference::random_integer(key, i, low, high);
}

void bf16_from_f32_reference(std::int64_t n, const float* x, std::uint16_t* out) {
  std::transform(x, x + n, out, bf16_of_float);
}

void f32_from_bf16_reference(std::int64_t n, const std::uint16_t* x, float* out) {
  std::transform(x, x + n, out, float_of_bf16);
}

py::dict reference_table() {
  py::dict t;
  t["bf16_from_f32"] = bound(bf16_from_f32_reference);
  t["f32_from_bf16"] = bound(f32_from_bf16_reference);
  t["ew_lookup"] = bound(ew_reference_lookup);
  t["ew_cast_lookup"] = bound(cast_reference_lookup);
  t["reduce_lookup"] = bound(reduce_reference_lookup);
  t["arg_reduce_lookup"] = bound(arg_reduce_reference_lookup);
  t["gather_rows"] = bound(reference::gather_rows);
  t["one_hot"] = bound(reference::one_hot);
  t["strided_copy"] = bound(reference::strided_copy);
  t["random_integers"] = bound(integers_reference);
#define RANVIER_TYPED(suffix, T)                                                   \
  t["scatter_add_rows_" #suffix] = bound(reference::scatter_add_rows<T>);          \
  t["softmax_" #suffix] = bound(reference::softmax<T>);                            \
  t["log_softmax_" #suffix] = bound(reference::log_softmax<T>);                    \
  t["softmax_grad_" #suffix] = bound(reference::softmax_grad<T>);                  \
  t["log_softmax_grad_" #suffix] = bound(reference::log_softmax_grad<T>);          \
  t["sparse_xent_" #suffix] = bound(reference::sparse_xent<T>);                    \
  t["sparse_xent_grad_" #suffix] = bound(reference::sparse_xent_grad<T>);          \
  t["max_pool_" #suffix] = bound(reference::max_pool<T>);                          \
  t["average_pool_" #suffix] = bound(reference::average_pool<T>);                  \
  t["max_pool_pick_" #suffix] = bound(reference::max_pool_pick<T>);                \
  t["max_pool_grad_" #suffix] = bound(reference::max_pool_grad<T>);                \
  t["average_pool_grad_" #suffix] = bound(reference::average_pool_grad<T>);        \
  t["random_uniform_" #suffix] = bound(draws(reference::random_uniform_##suffix)); \
  t["random_normal_" #suffix] = bound(draws(reference::random_normal_##suffix));   \
  t["truncated_normal_" #suffix] = bound(draws(reference::truncated_normal_##suffix));
  RANVIER_TYPED(f32, float)
  RANVIER_TYPED(f64, double)
#undef RANVIER_TYPED
  return t;
}

const KernelTable& table_of(const std::string& isa) {
  for (const std::string& name : supported_isas())
    if (name == isa) return *kernels_for(isa);
  fail(ErrorKind::kValue, "Instruction set '", isa, "' is not one of this build on this processor.");
}

py::dict table(const std::string& isa) {
  if (isa == "reference") return reference_table();
  const KernelTable& kernels = table_of(isa);
  py::dict t;
#define RANVIER_KERNEL(name, ...) t[#name] = bound(kernels.name);
#include "kernels/kernels.def"
#undef RANVIER_KERNEL
  return t;
}

// What an epilogue saw: it copies each block of C that it is called for, and counts the calls per element.
struct Seen {
  const std::byte* c;
  std::byte* copy;
  std::int32_t* visits;
  std::int64_t n, ldc, size;
};

void see(void* context, std::int64_t row, std::int64_t row_end, std::int64_t col, std::int64_t col_end, int) {
  const Seen& s = *static_cast<const Seen*>(context);
  for (; row < row_end; ++row) {
    std::memcpy(s.copy + (row * s.n + col) * s.size, s.c + (row * s.ldc + col) * s.size,
                static_cast<std::size_t>((col_end - col) * s.size));
    for (std::int64_t j = col; j < col_end; ++j) ++s.visits[row * s.n + j];
  }
}

// A whole product, planned and run: the kernels gemm_* take part in it as the plan says. `leading`: lda, ldb,
// ldc. `copy` [m, n] and `visits` (int32 [m, n]) get what an epilogue saw; None runs without one. uint16 arrays a
// and b hold bfloat16, whose product is float32; `bf16_dot` false keeps it from the processor's instruction. Returns
// the plan's path (a GemmPath) and threads; for "reference", 0 and 1. `strips`: as in GemmProblem.
py::tuple gemm(const std::string& isa, const std::vector<std::int64_t>& sizes,
               std::pair<bool, bool> transposed, const std::vector<std::int64_t>& leading, const py::array& a,
               const py::array& b, py::array c, int threads, const py::object& copy, const py::object& visits,
               bool bf16_dot, bool strips) {
  const DType dtype = dtype_of_array(c);
  const bool bf16 = dtype_of_array(a) == DType::u16;
  require(sizes.size() == 3 && leading.size() == 3, "sizes are (m, n, k), leading is (lda, ldb, ldc).");
  require(dtype_of_array(a) == dtype_of_array(b) && (bf16 || dtype_of_array(a) == dtype),
          "Arrays of one dtype, or two of uint16 and one of float32, are expected.");
  const GemmProblem problem{.dtype = dtype, .m = sizes[0], .n = sizes[1], .k = sizes[2],
                            .trans_a = transposed.first, .trans_b = transposed.second,
                            .lda = leading[0], .ldb = leading[1], .ldc = leading[2], .strips = strips, .bf16 = bf16};
  if (isa == "reference") {
    gemm_reference(problem, a.data(), b.data(), c.mutable_data());
    return py::make_tuple(0, 1);
  }
  GemmPlan plan = gemm_plan(problem, threads, table_of(isa));
  plan.bf16_dot = plan.bf16_dot && bf16_dot;
  const Buffer scratch(host_memory(), plan.scratch_bytes);
  Seen seen{.c = static_cast<const std::byte*>(c.data()),
            .copy = static_cast<std::byte*>(Parameter<void*>::from(copy)),
            .visits = Parameter<std::int32_t*>::from(visits),
            .n = problem.n, .ldc = problem.ldc, .size = static_cast<std::int64_t>(size_of(dtype))};
  const GemmEpilogue epilogue{see, &seen};
  gemm_run(plan, a.data(), b.data(), c.mutable_data(), scratch.data(), seen.copy ? &epilogue : nullptr);
  return py::make_tuple(plan.path, plan.threads);
}

template <class Names>
py::tuple tuple_of(const Names& names) {
  return py::tuple(py::cast(std::vector<std::string>(std::begin(names), std::end(names))));
}

}  // namespace

void bind_kernels(py::module_& m) {
  py::module_ k = m.def_submodule("kernels", "Single kernels and their references, for tests.");
  k.def("table", &table, py::arg("isa"));
  k.def("gemm", &gemm, py::arg("isa"), py::arg("sizes"), py::arg("transposed"), py::arg("leading"),
        py::arg("a"), py::arg("b"), py::arg("c"), py::arg("threads") = 1, py::arg("copy") = py::none(),
        py::arg("visits") = py::none(), py::arg("bf16_dot") = true,
        py::arg("strips") = false);
  k.def("philox4x32", &philox4x32, py::arg("counter"), py::arg("key"));
  k.attr("bf16_dot") = has_bf16_dot();
  k.attr("isas") = tuple_of(supported_isas());
  k.attr("reduce_ops") = tuple_of(kReduceNames);
  py::list ops, dtypes;  // the lists elementwise.def and RANVIER_DTYPES, column by column
#define RANVIER_EW(name, arity, domain, result, cost) ops.append(py::make_tuple(#name, arity, #domain, #result));
#include "kernels/elementwise/elementwise.def"
#undef RANVIER_EW
#define RANVIER_X(name, type, text) dtypes.append(text);
  RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  k.attr("elementwise_ops") = py::tuple(ops);
  k.attr("dtypes") = py::tuple(dtypes);
}

}  // namespace ranvier::bindings
