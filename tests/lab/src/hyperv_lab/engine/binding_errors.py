# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parameter binder reports, with PowerShell's error ids, categories and exception types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .errors import PSError

NAMESPACE = "System.Management.Automation."
BINDING = NAMESPACE + "ParameterBindingException"
VALIDATION = NAMESPACE + "ParameterBindingValidationException"
TRANSFORMATION = NAMESPACE + "ParameterBindingArgumentTransformationException"


class BindError(PSError):
    """An error of the binder. While binding by position or from the pipeline, plain ones mean "not this parameter"."""

    @property
    def means_no(self) -> bool:
        return self.exception_type == BINDING


class Mismatch(Exception):
    """A value is not of the wanted type and cannot be made one."""


class NotScalar(Mismatch):
    """A list, or no boolean, where one value is wanted: reported by another id."""


class NullValue(Exception):
    """Null where the type has no null."""


def _error(error_id: str, class_name: str, message: str, category: str = "InvalidArgument") -> BindError:
    return BindError(message, f"{error_id},{class_name}", category, BINDING)


def _invalid(error_id: str, class_name: str, message: str) -> BindError:
    return BindError(message, f"{error_id},{class_name}", "InvalidData", VALIDATION)


def unknown_name(class_name: str, name: str) -> BindError:
    return _error(
        "NamedParameterNotFound", class_name, f"A parameter cannot be found that matches parameter name '{name}'."
    )


def ambiguous_name(class_name: str, name: str, matches: Iterable[str]) -> BindError:
    listed = " ".join("-" + match for match in matches)
    text = f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches include:"
    return _error("AmbiguousParameter", class_name, f"{text} {listed}.")


def bound_twice(class_name: str, name: str) -> BindError:
    return _error(
        "ParameterAlreadyBound",
        class_name,
        f"Cannot bind parameter because parameter '{name}' is specified more than once. To provide multiple values to "
        'parameters that can accept multiple values, use the array syntax. For example, "-parameter value1,value2,'
        'value3".',
    )


def no_position(class_name: str, text: str) -> BindError:
    return _error(
        "PositionalParameterNotFound",
        class_name,
        f"A positional parameter cannot be found that accepts argument '{text}'.",
    )


def ambiguous_set(class_name: str) -> BindError:
    return _error(
        "AmbiguousParameterSet",
        class_name,
        "Parameter set cannot be resolved using the specified named parameters.",
    )


def not_in_set(class_name: str, name: str, set_name: str) -> BindError:
    return _error(
        "ParameterNotInParameterSet",
        class_name,
        f"Parameter '{name}' cannot be specified in parameter set '{set_name}'.",
    )


def missing_mandatory(class_name: str, names: Iterable[str]) -> BindError:
    listed = " ".join(names)
    text = f"Cannot process command because of one or more missing mandatory parameters: {listed}."
    return _error("MissingMandatoryParameter", class_name, text)


def input_not_bound(class_name: str) -> BindError:
    return _error(
        "InputObjectNotBound",
        class_name,
        "The input object cannot be bound to any parameters for the command either because the command does not take "
        "pipeline input or the input and its properties do not match any of the parameters that take pipeline input.",
    )


def input_lacks(class_name: str, names: Iterable[str]) -> BindError:
    listed = " ".join(names)
    return _error(
        "InputObjectMissingMandatory",
        class_name,
        "The input object cannot be bound because it did not contain the information required to bind all mandatory "
        f"parameters:  {listed}",
    )


def cannot_convert(class_name: str, name: str, wanted: str, why: Mismatch, value: Any) -> BindError:
    if isinstance(why, NotScalar):
        text = f"Cannot convert '{value}' to the type '{wanted}' required by parameter '{name}'. {why}"
        return _error("CannotConvertArgument", class_name, text)
    return _error("CannotConvertArgumentNoMessage", class_name, f"Cannot bind parameter '{name}'. {why}")


def cannot_transform(class_name: str, name: str, why: str) -> BindError:
    text = f"Cannot process argument transformation on parameter '{name}'. {why}"
    return BindError(text, f"ParameterArgumentTransformationError,{class_name}", "InvalidData", TRANSFORMATION)


def cannot_set(class_name: str, name: str, type_name: str) -> BindError:
    why = f'Exception setting "{name}": "Cannot convert null to type "{type_name}"."'
    return _error(
        "ParameterBindingFailed", class_name, f"Cannot bind parameter '{name}' to the target. {why}", "WriteError"
    )


def failed_check(class_name: str, name: str, why: str) -> BindError:
    return _invalid(
        "ParameterArgumentValidationError", class_name, f"Cannot validate argument on parameter '{name}'. {why}"
    )


def null_argument(class_name: str, name: str, *, boolean: bool = False) -> BindError:
    text = f"Cannot bind argument to parameter '{name}' because it is null."
    if boolean:
        return _error("ParameterArgumentValidationErrorNullNotAllowed", class_name, text)
    return _invalid("ParameterArgumentValidationErrorNullNotAllowed", class_name, text)


def empty_string(class_name: str, name: str) -> BindError:
    return _invalid(
        "ParameterArgumentValidationErrorEmptyStringNotAllowed",
        class_name,
        f"Cannot bind argument to parameter '{name}' because it is an empty string.",
    )


def empty_array(class_name: str, name: str, *, array: bool = True) -> BindError:
    what = "Array" if array else "Collection"
    return _invalid(
        f"ParameterArgumentValidationErrorEmpty{what}NotAllowed",
        class_name,
        f"Cannot bind argument to parameter '{name}' because it is an empty {what.lower()}.",
    )
