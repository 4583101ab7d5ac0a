#include "bindings/convert.h"

namespace ranvier::bindings {

DType dtype_from_name(const std::string& name) {
#define RANVIER_X(enumerator, type, text) \
  if (name == text) return DType::enumerator;
  RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  fail(ErrorKind::kType, "dtype '", name, "' is not offered; there are float32, float64, int32, int64, bool, and for storage ",
       "uint8, int8, uint16, int16, uint32.");
}

DType dtype_of_array(const py::array& array) {
  // By kind and size: NumPy has several names for one type.
  const char kind = array.dtype().kind();
  const auto size = array.dtype().itemsize();
  if (kind == 'f' && size == 4) return DType::f32;
  if (kind == 'f' && size == 8) return DType::f64;
  if (kind == 'b') return DType::b8;
  if (kind == 'i') {
    if (size == 1) return DType::i8;
    if (size == 2) return DType::i16;
    if (size == 4) return DType::i32;
    if (size == 8) return DType::i64;
  }
  if (kind == 'u') {
    if (size == 1) return DType::u8;
    if (size == 2) return DType::u16;
    if (size == 4) return DType::u32;
  }
  fail(ErrorKind::kType, "Arrays of dtype ", py::str(static_cast<py::object>(array.dtype())).cast<std::string>(), " are not offered.");
}

py::dtype numpy_dtype(DType dtype) {
  switch (dtype) {
#define RANVIER_X(enumerator, type, text) \
  case DType::enumerator:                 \
    return py::dtype::of<type>();
    RANVIER_DTYPES(RANVIER_X)
#undef RANVIER_X
  }
  fail(ErrorKind::kRuntime, "There is no NumPy type of a dtype.");
}

Shape shape_of(const py::array& array) {
  return Shape(std::vector<std::int64_t>(array.shape(), array.shape() + array.ndim()));
}

py::array new_array(const TensorType& type) {
  return py::array(numpy_dtype(type.dtype), std::vector<py::ssize_t>(type.shape.begin(), type.shape.end()));
}

py::tuple shape_tuple(const Shape& shape) {
  py::tuple result(shape.rank());
  for (int i = 0; i < shape.rank(); ++i) result[static_cast<std::size_t>(i)] = shape[i];
  return result;
}

static std::int64_t int_from(const std::string& name, const py::handle& value) {
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!number) throw py::error_already_set();
  int overflow = 0;
  const long long result = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow) fail(ErrorKind::kValue, "The integer ", py::str(number).cast<std::string>(), " (", name, ") does not fit 64 bits.");
  return result;
}

// A value that is no sequence after all says so by one of these; any other exception (a Ctrl-C, memory) is not ours.
static void clear_refusal() {
  if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_LookupError)) throw py::error_already_set();
  PyErr_Clear();
}

static Ints ints_from(const std::string& name, const py::handle& value) {
  Ints result;
  const bool may_be_sequence = PySequence_Check(value.ptr()) && !PyUnicode_Check(value.ptr());
  const py::ssize_t count = may_be_sequence ? PySequence_Size(value.ptr()) : -1;
  if (count < 0 && PyErr_Occurred()) clear_refusal();  // something that has items but no length
  for (py::ssize_t i = 0; i < count; ++i) {
    const auto item = py::reinterpret_steal<py::object>(PySequence_GetItem(value.ptr(), i));
    if (!item || !PyIndex_Check(item.ptr())) {
      if (!item) clear_refusal();
      fail(ErrorKind::kType, "The argument '", name, "' must be made of integers, got ", py::repr(value).cast<std::string>(), ".");
    }
    result.push_back(int_from(name, item));
  }
  if (count < 0)
    fail(ErrorKind::kType, "The argument '", name, "' must be a number, a dtype name or a sequence of integers, got ",
         py::repr(value).cast<std::string>(), ".");
  return result;
}

Attributes attributes_from(const py::dict& items) {
  Attributes attributes;
  for (const auto& [key, value] : items) {
    auto name = key.cast<std::string>();
    if (py::isinstance<Body>(value)) attributes.set(std::move(name), BodyPtr(value.cast<std::shared_ptr<Body>>()));
    else if (py::isinstance<py::bool_>(value)) attributes.set(std::move(name), value.cast<bool>());
    else if (PyIndex_Check(value.ptr())) attributes.set(name, int_from(name, value));
    else if (py::isinstance<py::float_>(value)) attributes.set(std::move(name), value.cast<double>());
    else if (py::isinstance<py::str>(value)) attributes.set(std::move(name), dtype_from_name(value.cast<std::string>()));
    else attributes.set(name, ints_from(name, value));
  }
  return attributes;
}

py::array contiguous(const py::array& array) {
  if ((array.flags() & py::array::c_style) && array.dtype().byteorder() != '>') return array;
  py::object made = py::module_::import("numpy").attr("ascontiguousarray")(array, array.dtype().attr("newbyteorder")("="));
  return py::array::ensure(made).reshape(std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()));
}

}  // namespace ranvier::bindings
