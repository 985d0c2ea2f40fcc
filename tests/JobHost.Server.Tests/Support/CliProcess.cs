using System.Diagnostics;
using System.Text;

namespace JobHost.Server.Tests.Support;

/// <summary>The program with a verb that asks a server.</summary>
internal sealed class CliProcess : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();

    private CliProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Take(output, line.Data);
        process.ErrorDataReceived += (_, line) => Take(error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    internal string Output => Read(output);

    internal string Error => Read(error);

    internal static CliProcess Start(Uri? server, params string[] arguments) =>
        Start(server, new Dictionary<string, string>(), arguments);

    internal static CliProcess Start(
        Uri? server,
        IReadOnlyDictionary<string, string> environment,
        params string[] arguments
    )
    {
        // As in a terminal: what runs the tests in the background may have had them inherit that interrupts are ignored.
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT", ServerProcess.TestHost, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Leaks.Folder,
        };
        start.Environment.Remove("JOBHOST_URL");
        start.Environment.Remove("JOBHOST_KEY");
        start.Environment["JOBHOST_URL"] = server?.AbsoluteUri;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        return new(Process.Start(start)!);
    }

    /// <summary>Runs it to its end.</summary>
    internal static async Task<(int Code, string Output, string Error)> RunAsync(Uri? server, params string[] arguments)
    {
        await using var cli = Start(server, arguments);
        return (await cli.ExitAsync(), cli.Output, cli.Error);
    }

    /// <summary>Runs it to its end, which has to be this.</summary>
    internal static async Task<string> ExpectAsync(int code, Uri server, params string[] arguments)
    {
        var (found, output, error) = await RunAsync(server, arguments);
        Assert.True(found == code, $"{found} instead of {code}: {output}{error}");
        return output;
    }

    /// <summary>Runs it to its good end, and returns what it wrote to the byte, which is UTF-8.</summary>
    internal static async Task<string> ExpectBytesAsync(Uri server, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(ServerProcess.TestHost, [.. arguments, "--url", server.AbsoluteUri])
            {
                RedirectStandardOutput = true,
            }
        )!;
        var output = await process.StandardOutput.ReadToEndAsync(ApiClient.Token);
        await process.WaitForExitAsync(ApiClient.Token);
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    /// <summary>What Ctrl-C does.</summary>
    internal async Task InterruptAsync()
    {
        using var kill = Process.Start("/bin/kill", ["-INT", $"{process.Id}"]);
        await kill.WaitForExitAsync(ApiClient.Token);
    }

    internal async Task<int> ExitAsync()
    {
        await process.WaitForExitAsync(ApiClient.Token).WaitAsync(Bound, ApiClient.Token);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
        process.Dispose();
    }

    private static void Take(StringBuilder text, string? line)
    {
        lock (text)
        {
            text.Append(line is null ? "" : line + '\n');
        }
    }

    private static string Read(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
