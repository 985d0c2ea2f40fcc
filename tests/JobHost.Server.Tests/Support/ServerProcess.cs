using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace JobHost.Server.Tests.Support;

/// <summary>A server as a process of its own, which can be killed and started again on the same data.</summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process, string dataDirectory)
    {
        this.process = process;
        DataDirectory = dataDirectory;
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The program with the misbehaving jobs.</summary>
    public static string TestHost => Program("JobHost.TestHost");

    /// <summary>The program as users start it, with the samples.</summary>
    public static string Server => Program("JobHost.Server");

    /// <summary>
    /// How many workers wait for runs, where a test does not say so: none, as each would cost a test as much as its run does. To
    /// try everything with workers that waited, set <c>JOBHOST_TESTS_IDLE_WORKERS</c>.
    /// </summary>
    internal static string IdleWorkers => Environment.GetEnvironmentVariable("JOBHOST_TESTS_IDLE_WORKERS") ?? "0";

    public string DataDirectory { get; }

    public Uri Address { get; private set; } = null!;

    public ApiClient Api { get; private set; } = null!;

    public int Pid => process.Id;

    public string Output
    {
        get
        {
            lock (output)
            {
                return output.ToString();
            }
        }
    }

    /// <summary>A new data directory below the test run's folder.</summary>
    public static string NewDataDirectory() => Path.Combine(Leaks.Folder, Guid.NewGuid().ToString("N"));

    /// <summary>Starts a server and waits until it listens.</summary>
    public static Task<ServerProcess> StartAsync(
        string? dataDirectory = null,
        string? program = null,
        params string[] settings
    ) => StartAsync(new Dictionary<string, string>(), dataDirectory, program, settings);

    /// <summary>Starts a server with more variables in its environment, and waits until it listens.</summary>
    public static async Task<ServerProcess> StartAsync(
        IReadOnlyDictionary<string, string> environment,
        string? dataDirectory = null,
        string? program = null,
        params string[] settings
    )
    {
        var server = Launch(
            dataDirectory ?? NewDataDirectory(),
            program ?? TestHost,
            ["--urls", "http://127.0.0.1:0", .. settings],
            environment
        );
        var exited = server.process.WaitForExitAsync(ApiClient.Token);
        await Task.WhenAny(server.listening.Task, exited).WaitAsync(StartBound, ApiClient.Token);
        Assert.True(server.listening.Task.IsCompleted, $"The server did not start: {server.Output}");
        server.Address = await server.listening.Task;
        server.Api = new(
            new HttpClient(new ContractHandler { InnerHandler = new SocketsHttpHandler() })
            {
                BaseAddress = server.Address,
                Timeout = TimeSpan.FromMinutes(2),
            }
        );
        return server;
    }

    /// <summary>Starts a server that is expected to refuse, and waits for its exit code and what it said.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(
        string? dataDirectory = null,
        string? program = null,
        params string[] arguments
    ) => RunAsync(new Dictionary<string, string>(), dataDirectory, program, arguments);

    /// <summary>As above, with more variables in its environment.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        IReadOnlyDictionary<string, string> environment,
        string? dataDirectory = null,
        string? program = null,
        params string[] arguments
    )
    {
        await using var server = Launch(
            dataDirectory ?? NewDataDirectory(),
            program ?? TestHost,
            arguments,
            environment
        );
        await server.process.WaitForExitAsync(ApiClient.Token).WaitAsync(StartBound, ApiClient.Token);
        return (server.process.ExitCode, server.Output);
    }

    /// <summary>How much memory of its own it has, in MiB.</summary>
    public long MemoryMiB() =>
        long.Parse(
            File.ReadLines($"/proc/{Pid}/status")
                .First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture
        ) / 1024;

    /// <summary>SIGKILL, to the server alone.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync(ApiClient.Token);
    }

    /// <summary>SIGKILL, to the server and its keeper in one call.</summary>
    public async Task KillWithKeeperAsync()
    {
        using var kill = Process.Start("/bin/kill", ["-KILL", $"{process.Id}", $"{ProcessScan.KeeperOf(process.Id)}"]);
        await kill.WaitForExitAsync(ApiClient.Token);
        await process.WaitForExitAsync(ApiClient.Token);
    }

    /// <summary>SIGTERM, and the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        await AskToEndAsync();
        return await ExitAsync();
    }

    /// <summary>SIGTERM, without waiting.</summary>
    public async Task AskToEndAsync()
    {
        using var kill = Process.Start("/bin/kill", ["-TERM", $"{process.Id}"]);
        await kill.WaitForExitAsync(ApiClient.Token);
    }

    /// <summary>Waits for the exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await process.WaitForExitAsync(ApiClient.Token);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
        Api?.Client.Dispose();
        process.Dispose();
    }

    private static ServerProcess Launch(
        string dataDirectory,
        string program,
        string[] arguments,
        IReadOnlyDictionary<string, string> environment
    )
    {
        Directory.CreateDirectory(dataDirectory);
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = dataDirectory,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        if (!Environment.IsPrivilegedProcess)
        {
            // Then only the superuser could look from outside.
            start.Environment["JobHost__Shielded"] = "false";
        }
        start.Environment["JobHost__Worker__MinIdle"] = IdleWorkers;
        start.Environment["JobHost__Worker__MaxIdle"] = IdleWorkers;
        start.Environment["JobHost__DataDirectory"] = Path.Combine(dataDirectory, "data");
        foreach (var (key, value) in TestStorage.SettingsOf(dataDirectory))
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
        foreach (
            var name in start
                .Environment.Keys.Where(name => name.StartsWith("ASPNETCORE_", StringComparison.Ordinal))
                .ToList()
        )
        {
            start.Environment.Remove(name);
        }
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        return new(Process.Start(start)!, dataDirectory);
    }

    private static string Program(string name) =>
        Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? $"{name}.exe" : name);

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }
        lock (output)
        {
            output.AppendLine(line);
        }
        if (Listening().Match(line) is { Success: true } match)
        {
            listening.TrySetResult(new(match.Groups[1].Value));
        }
    }

    [GeneratedRegex("Now listening on: (\\S+)")]
    private static partial Regex Listening();
}
