using System.Text.Json;
using System.Text.Json.Nodes;
using JobHost.Worker.Bodies;

namespace JobHost.Jobs;

/// <summary>
/// A command that parameters can be filled into. Every template entry becomes exactly one argument of the program, or none;
/// no character of a value can make it two.
/// </summary>
internal sealed class CommandTemplate
{
    private readonly List<CommandArgument> arguments;
    private readonly SortedDictionary<string, CommandParameter> parameters;

    private CommandTemplate(
        string file,
        List<CommandArgument> arguments,
        SortedDictionary<string, CommandParameter> parameters,
        CommandConfig config,
        Dictionary<string, string> environment
    )
    {
        File = file;
        this.arguments = arguments;
        this.parameters = parameters;
        Environment = environment;
        TakesInput = config.TakesInput;
        WorkingDirectory = config.WorkingDirectory;
        ParametersSchema = SchemaOf(parameters);
    }

    internal string File { get; }

    /// <summary>What is added to the environment, secrets included.</summary>
    internal IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Whether input that is sent to a run is fed to it.</summary>
    internal bool TakesInput { get; }

    internal string? WorkingDirectory { get; }

    internal JsonNode ParametersSchema { get; }

    /// <exception cref="JobConfigurationException">What the configuration says cannot work.</exception>
    internal static CommandTemplate Create(string job, CommandConfig config, Secrets? secrets = null)
    {
        JobConfigurationException Wrong(string key, string problem) => new($"JobHost:Commands:{job}:{key}: {problem}");

        var parameters = new SortedDictionary<string, CommandParameter>(StringComparer.Ordinal);
        foreach (var (name, parameter) in config.Parameters)
        {
            parameters[name] = CommandParameter.Create(parameter, problem => Wrong($"Parameters:{name}", problem));
        }
        var arguments = new List<CommandArgument>();
        for (var i = 0; i < config.Arguments.Count; i++)
        {
            var key = $"Arguments:{i}";
            var argument = CommandArgument.Parse(config.Arguments[i], problem => Wrong(key, problem));
            foreach (var name in argument.Names.Where(name => !parameters.ContainsKey(name)))
            {
                throw Wrong(
                    key,
                    $"'{{{name}}}' names no parameter. Add it to Parameters, or write '{{{{' for a brace."
                );
            }
            arguments.Add(argument);
        }
        if (
            parameters.Keys.FirstOrDefault(name => !arguments.Exists(argument => argument.Names.Contains(name))) is
            { } unused
        )
        {
            throw Wrong(
                $"Parameters:{unused}",
                "no argument uses it. Remove it, or write '{" + unused + "}' into Arguments."
            );
        }
        if (config.WorkingDirectory is { } folder && !Directory.Exists(folder))
        {
            throw Wrong("WorkingDirectory", $"there is no folder '{folder}'.");
        }
        if (config.WorkingDirectory is { } relative && !Path.IsPathFullyQualified(relative))
        {
            throw Wrong("WorkingDirectory", "the path must be absolute.");
        }
        var template = new CommandTemplate(
            Executable(config.File, problem => Wrong("File", problem)),
            arguments,
            parameters,
            config,
            EnvironmentOf(config, secrets ?? Secrets.None, Wrong)
        );
        var defaults = parameters.ToDictionary(pair => pair.Key, pair => pair.Value.Default, StringComparer.Ordinal);
        foreach (var name in template.Options(defaults))
        {
            throw Wrong($"Parameters:{name}", "the default begins with '-'. Set AllowLeadingDash, or change it.");
        }
        return template;
    }

    /// <summary>The arguments for these parameters, or messages by field.</summary>
    internal IReadOnlyList<string> Fill(JsonElement json, out IReadOnlyDictionary<string, string[]> errors)
    {
        var found = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        var values = new Dictionary<string, string?>(StringComparer.Ordinal);
        errors = found;
        if (json.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Object))
        {
            found[""] = ["The parameters must be a JSON object."];
            return [];
        }
        if (json.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in json.EnumerateObject())
            {
                if (JobJson.NameOf(property) is not { } name)
                {
                    found[""] = ["A name is no valid text."];
                }
                else if (!parameters.TryGetValue(name, out var parameter))
                {
                    found[name] = ["There is no such parameter."];
                }
                else if (values.ContainsKey(name))
                {
                    found[name] = ["The parameter is given twice."];
                }
                else if (parameter.Read(property.Value, out var value) is { } problem)
                {
                    found[name] = [problem];
                }
                else
                {
                    values[name] = value;
                }
            }
        }
        foreach (var (name, parameter) in parameters)
        {
            if (!values.ContainsKey(name) && !found.ContainsKey(name))
            {
                values[name] = parameter.Default;
                if (parameter.Required)
                {
                    found[name] = ["The parameter is required."];
                }
            }
        }
        foreach (var name in Options(values))
        {
            found[name] = ["The value may not begin with '-': the program could take it for an option."];
        }
        return found.Count > 0 ? [] : [.. arguments.Select(argument => argument.Fill(values)).OfType<string>()];
    }

    /// <summary>The parameters whose values would make an argument look like an option, though they may not.</summary>
    private IEnumerable<string> Options(Dictionary<string, string?> values) =>
        arguments
            .Select(argument => argument.FirstIn(values))
            .OfType<string>()
            .Where(name =>
                parameters[name] is { IsText: true, AllowLeadingDash: false } && values[name]!.StartsWith('-')
            );

    private static Dictionary<string, string> EnvironmentOf(
        CommandConfig config,
        Secrets secrets,
        Func<string, string, JobConfigurationException> wrong
    )
    {
        var environment = new Dictionary<string, string>(config.Environment, StringComparer.Ordinal);
        foreach (var (variable, name) in config.Secrets)
        {
            var key = $"Secrets:{variable}";
            if (!secrets.TryGet(name, out var value))
            {
                throw wrong(key, $"there is no secret '{name}'. Add it to JobHost:Secrets.");
            }
            if (!environment.TryAdd(variable, value))
            {
                throw wrong(key, "Environment has the same variable. Remove one of them.");
            }
        }
        return environment;
    }

    private static string Executable(string? file, Func<string, JobConfigurationException> wrong)
    {
        if (string.IsNullOrWhiteSpace(file))
        {
            throw wrong("the program is missing. Give an absolute path, or a name that PATH knows.");
        }
        if (Path.IsPathFullyQualified(file))
        {
            return IsExecutable(file) ? Guarded(file, wrong) : throw wrong($"there is no executable file '{file}'.");
        }
        if (file.Contains('/', StringComparison.Ordinal) || file.Contains('\\', StringComparison.Ordinal))
        {
            throw wrong($"'{file}' is a relative path. Give an absolute path, or a bare name that PATH knows.");
        }
        var folders = (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        var extensions = OperatingSystem.IsWindows() ? new[] { "", ".exe" } : [""];
        var found =
            folders
                .Where(Path.IsPathFullyQualified)
                .SelectMany(folder => extensions.Select(extension => Path.Combine(folder, file + extension)))
                .FirstOrDefault(IsExecutable)
            ?? throw wrong($"no folder of PATH has a program '{file}'. Install it, or give an absolute path.");
        return Guarded(found, wrong);
    }

    // Whoever can exchange the program decides what runs do.
    private static string Guarded(string path, Func<string, JobConfigurationException> wrong)
    {
        if (OperatingSystem.IsWindows())
        {
            return path;
        }
        var program = System.IO.File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        foreach (var folder in new[] { Path.GetDirectoryName(path)!, Path.GetDirectoryName(program)! })
        {
            var mode = System.IO.File.GetUnixFileMode(folder);
            if (mode.HasFlag(UnixFileMode.OtherWrite) && !mode.HasFlag(UnixFileMode.StickyBit))
            {
                throw wrong(
                    $"everybody can exchange the program: everybody can write the folder '{folder}'. Change its mode."
                );
            }
        }
        return System.IO.File.GetUnixFileMode(program).HasFlag(UnixFileMode.OtherWrite)
            ? throw wrong($"everybody can write the program '{program}'. Change its mode.")
            : path;
    }

    private static bool IsExecutable(string path) =>
        System.IO.File.Exists(path)
        && (
            OperatingSystem.IsWindows()
            || (
                System.IO.File.GetUnixFileMode(path)
                & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)
            ) != UnixFileMode.None
        );

    private static JsonObject SchemaOf(SortedDictionary<string, CommandParameter> parameters)
    {
        var properties = new JsonObject();
        foreach (var (name, parameter) in parameters)
        {
            properties[name] = parameter.Schema();
        }
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (parameters.Any(pair => pair.Value.Required))
        {
            schema["required"] = new JsonArray([
                .. parameters.Where(pair => pair.Value.Required).Select(pair => JsonValue.Create(pair.Key)),
            ]);
        }
        schema["additionalProperties"] = false;
        return schema;
    }
}
