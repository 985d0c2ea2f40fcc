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

    /// <summary>For the worker itself, which is a .NET process.</summary>
    internal IReadOnlyDictionary<string, string> ForWorker(Run run)
    {
        var environment = Marks(run);
        AddRuntime(environment);
        return environment;
    }

    /// <summary>For the worker of a drill.</summary>
    internal IReadOnlyDictionary<string, string> ForDrill(Guid mark)
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

    /// <summary>For a command.</summary>
    internal IReadOnlyDictionary<string, string> ForCommand(Run run, CommandTemplate command)
    {
        var environment = new Dictionary<string, string>(command.Environment, StringComparer.Ordinal);
        foreach (var (name, value) in Marks(run))
        {
            // The configuration may replace PATH and the like, but not the marks that the kill goes by.
            if (name.StartsWith("JOBHOST_", StringComparison.Ordinal))
            {
                environment[name] = value;
            }
            else
            {
                environment.TryAdd(name, value);
            }
        }
        return environment;
    }

    private Dictionary<string, string> Marks(Run run)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [RunProcesses.RunVariable] = run.Id.ToString(),
            [RunProcesses.InstanceVariable] = instance,
            ["JOBHOST_JOB"] = run.Job,
            ["JOBHOST_ATTEMPT"] = run.Attempt.ToString(CultureInfo.InvariantCulture),
            ["JOBHOST_ARTIFACTS"] = folders.Artifacts(run.Id),
            ["JOBHOST_FENCE"] = run.Fence.ToString(CultureInfo.InvariantCulture),
        };
        AddPassed(environment);
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
