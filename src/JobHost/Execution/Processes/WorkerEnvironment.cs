using System.Collections;
using System.Globalization;
using JobHost.Execution.Output;
using JobHost.Jobs;
using JobHost.Runs;
using JobHost.Worker.Processes;

namespace JobHost.Execution.Processes;

/// <summary>
/// What workers and commands find in their environment: a short list of the host's harmless variables and the run's own
/// marks. Connection strings and keys of the host are never among them.
/// </summary>
internal sealed class WorkerEnvironment(string instance, RunFolders folders)
{
    /// <summary>What marks every process of this node, in all its lives.</summary>
    internal string Instance => instance;

    private static readonly string[] Passed =
    [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "TMPDIR",
        "SystemRoot",
        "TEMP",
        "TMP",
    ];

    private static readonly Dictionary<string, string> Host = Environment
        .GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? "", StringComparer.Ordinal);

    /// <summary>For a worker, which is a .NET process.</summary>
    /// <param name="mark">The run's id, or what stands in its place until there is one.</param>
    internal IReadOnlyDictionary<string, string> ForWorker(Guid mark)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [RunProcesses.RunVariable] = mark.ToString(),
            [RunProcesses.InstanceVariable] = instance,
        };
        AddPassed(environment);
        AddRuntime(environment);
        return environment;
    }

    /// <summary>For the process of a lane, where no run is alone.</summary>
    internal IReadOnlyDictionary<string, string> ForLane(Guid mark, string lane)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [RunProcesses.RunVariable] = mark.ToString(),
            [RunProcesses.InstanceVariable] = instance,
            [RunProcesses.LaneVariable] = lane,
        };
        AddPassed(environment);
        AddRuntime(environment);
        return environment;
    }

    /// <summary>For a process of this program that is no run's.</summary>
    internal static IReadOnlyDictionary<string, string> ForKeeper()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        AddPassed(environment);
        AddRuntime(environment);
        CompileAtOnce(environment);
        return environment;
    }

    /// <summary>For a process of this program that looks at another: marked as this node's, so that the next life finds it.</summary>
    internal IReadOnlyDictionary<string, string> ForReader()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [RunProcesses.InstanceVariable] = instance,
        };
        AddPassed(environment);
        AddRuntime(environment);
        CompileAtOnce(environment);
        return environment;
    }

    /// <summary>
    /// No thread in the background: where a job has used up the numbers of the system, none could be started, and the runtime
    /// would end the process for that. Nor one that takes time from a kill.
    /// </summary>
    private static void CompileAtOnce(Dictionary<string, string> environment) =>
        environment["DOTNET_TieredCompilation"] = "0";

    private static void AddRuntime(Dictionary<string, string> environment)
    {
        foreach (
            var name in new[]
            {
                "DOTNET_ROOT",
                "DOTNET_ROOT_X64",
                "DOTNET_ROOT_ARM64",
                "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT",
            }
        )
        {
            Pass(environment, name);
        }
        // No diagnostics socket that another process of the same user could inject code through, and fewer threads.
        environment["DOTNET_EnableDiagnostics"] = "0";
        environment["DOTNET_gcConcurrent"] = "0";
        environment["DOTNET_TieredPGO"] = "0";
    }

    /// <summary>What a run finds besides.</summary>
    internal IReadOnlyDictionary<string, string> ForRun(Run run)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["JOBHOST_JOB"] = run.Job,
            ["JOBHOST_ATTEMPT"] = run.Attempt.ToString(CultureInfo.InvariantCulture),
            ["JOBHOST_ARTIFACTS"] = folders.Artifacts(run.Id),
            ["JOBHOST_FENCE"] = run.Fence.ToString(CultureInfo.InvariantCulture),
        };
        if (run.TraceParent is { } traceParent)
        {
            environment["TRACEPARENT"] = traceParent;
            if (run.TraceState is { } traceState)
            {
                environment["TRACESTATE"] = traceState;
            }
        }
        return environment;
    }

    /// <summary>All that a command finds.</summary>
    internal IReadOnlyDictionary<string, string> ForCommand(Run run, CommandTemplate command)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        AddPassed(environment);
        foreach (var (name, value) in ForRun(run))
        {
            environment[name] = value;
        }
        foreach (var (name, value) in command.Environment)
        {
            // The configuration may replace PATH and the like, but not what the run goes by.
            if (!name.StartsWith("JOBHOST_", StringComparison.Ordinal) || !environment.ContainsKey(name))
            {
                environment[name] = value;
            }
        }
        environment[RunProcesses.RunVariable] = run.Id.ToString();
        environment[RunProcesses.InstanceVariable] = instance;
        return environment;
    }

    private static void AddPassed(Dictionary<string, string> environment)
    {
        foreach (var name in Passed)
        {
            Pass(environment, name);
        }
    }

    private static void Pass(Dictionary<string, string> environment, string name)
    {
        if (Host.TryGetValue(name, out var value))
        {
            environment[name] = value;
        }
    }
}
