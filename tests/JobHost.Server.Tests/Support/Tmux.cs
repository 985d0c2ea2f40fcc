using System.Diagnostics;
using System.Text.RegularExpressions;

namespace JobHost.Server.Tests.Support;

/// <summary>A terminal with a shell in it, in which the program is called <c>jobhost</c>. Keys are pressed, and the screen is read.</summary>
internal sealed class Tmux : IAsyncDisposable
{
    private readonly string program = Needs.Program("tmux");
    private readonly string folder = Path.Combine(Leaks.Folder, $"t{Guid.NewGuid():N}"[..9]);

    private Tmux() { }

    /// <summary>Where the shell is.</summary>
    internal string Folder => folder;

    /// <summary>Opens a terminal of a size.</summary>
    internal static async Task<Tmux> OpenAsync(Uri server, int width, int height)
    {
        var terminal = new Tmux();
        Directory.CreateDirectory(terminal.folder);
        var name = Path.Combine(terminal.folder, "jobhost");
        await File.WriteAllTextAsync(name, $"#!/bin/sh\nexec {ServerProcess.TestHost} \"$@\"\n", ApiClient.Token);
        File.SetUnixFileMode(name, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await terminal.DoAsync(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-c",
            terminal.folder,
            "-x",
            $"{width}",
            "-y",
            $"{height}",
            // What runs the tests may have had them inherit that interrupts are ignored.
            $"env --default-signal=INT -u NO_COLOR -u ENV PS1='$ ' PATH={terminal.folder}:$PATH JOBHOST_URL={server} /bin/sh"
        );
        try
        {
            await terminal.UntilAsync(screen => screen.EndsWith('$'), "the shell");
        }
        catch
        {
            await terminal.DisposeAsync();
            throw;
        }
        return terminal;
    }

    /// <summary>Types a line.</summary>
    internal async Task TypeAsync(string line)
    {
        await DoAsync("send-keys", "-l", "--", line);
        await PressAsync("Enter");
    }

    /// <summary>Presses a key by its name, such as <c>C-c</c>.</summary>
    internal Task PressAsync(string key) => DoAsync("send-keys", key);

    /// <summary>Makes it larger or smaller.</summary>
    internal Task ResizeAsync(int width, int height) => DoAsync("resize-window", "-x", $"{width}", "-y", $"{height}");

    /// <summary>Runs a command on an empty screen, to its end.</summary>
    /// <returns>Its exit code, and the lines that it wrote.</returns>
    internal async Task<(int Code, IReadOnlyList<string> Lines)> RunAsync(string command)
    {
        // What is typed is to be no longer than a line.
        await File.WriteAllTextAsync(Path.Combine(folder, "go"), $"{command}\necho \"[exit $?]\"\n", ApiClient.Token);
        await DoAsync("send-keys", "-R");
        await DoAsync("clear-history");
        await TypeAsync(". ./go");
        string[] lines = [];
        var last = -1;
        await Poll.UntilAsync(
            async () =>
            {
                lines = (await ReadAsync()).Split('\n');
                last = Array.FindIndex(lines, line => Regex.IsMatch(line, @"^\[exit \d+\]$"));
                return last < 0 ? string.Join('\n', lines) : null;
            },
            command
        );
        return (int.Parse(lines[last]["[exit ".Length..^1]), lines[1..last]);
    }

    /// <summary>What there is to see, and what has scrolled away.</summary>
    /// <param name="joined">Whether lines that did not fit and went on in the next are one.</param>
    internal Task<string> ReadAsync(bool joined = false) =>
        CaptureAsync(["-S", "-", .. joined ? ["-J"] : Array.Empty<string>()]);

    private async Task<string> CaptureAsync(params string[] how)
    {
        var text = await DoAsync(["capture-pane", "-p", .. how]);
        return string.Join('\n', text.TrimEnd().Split('\n').Select(line => line.TrimEnd()));
    }

    /// <summary>What the terminal says of itself, such as <c>pane_title</c>.</summary>
    internal async Task<string> AskAsync(string what) =>
        (await DoAsync("display-message", "-p", $"#{{{what}}}")).Trim();

    /// <summary>Waits until what there is to see is as wanted, and returns it.</summary>
    internal async Task<string> UntilAsync(Func<string, bool> isSo, string what)
    {
        var screen = "";
        await Poll.UntilAsync(
            async () =>
            {
                screen = await CaptureAsync();
                return isSo(screen) ? null : screen;
            },
            what
        );
        return screen;
    }

    public async ValueTask DisposeAsync() => await DoAsync("kill-server");

    private async Task<string> DoAsync(params string[] words)
    {
        var start = new ProcessStartInfo(program, ["-u", "-S", Path.Combine(folder, "s"), .. words])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("TMUX");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.True(process.ExitCode == 0, $"tmux {words[0]}: {await error}");
        return output;
    }
}
