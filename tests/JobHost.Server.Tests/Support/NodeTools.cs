using System.Diagnostics;

namespace JobHost.Server.Tests.Support;

/// <summary>The programs for Node that look at the OpenAPI document: those of <c>Contract/package.json</c>.</summary>
internal static class NodeTools
{
    /// <summary>Where they are, and what they are told.</summary>
    internal static string Folder { get; } = Path.Combine(Repository.Root, "tests", "JobHost.Server.Tests", "Contract");

    /// <summary>The document as it was last accepted.</summary>
    internal static string Snapshot { get; } = Path.Combine(Folder, "openapi.v1.json");

    internal static string Modules { get; } = Path.Combine(Folder, "node_modules");

    // What the linters themselves ask for.
    private static readonly Version Oldest = new(20, 19);

    private static readonly Lazy<Version> Installed = new(() =>
    {
        using var process = Process.Start(
            new ProcessStartInfo(Needs.Program("node"), "--version") { RedirectStandardOutput = true }
        )!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return Version.Parse(text.Trim().TrimStart('v'));
    });

    /// <summary>Skips the test where they are not installed, or Node is too old for them.</summary>
    internal static void Need()
    {
        Needs.Program("node");
        Needs.Nothing(Installed.Value < Oldest ? $"Node {Installed.Value} is older than {Oldest}." : null);
        Needs.Nothing(Directory.Exists(Modules) ? null : $"Run 'npm ci' in {Folder} first.");
    }

    /// <summary>Runs one, and returns what it wrote.</summary>
    internal static Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string folder,
        string tool,
        params string[] arguments
    ) => RunScriptAsync(folder, Path.Combine(Modules, ".bin", tool), arguments);

    /// <summary>Runs a script, and returns what it wrote.</summary>
    internal static async Task<(int ExitCode, string Output, string Errors)> RunScriptAsync(
        string folder,
        string script,
        params string[] arguments
    )
    {
        var start = new ProcessStartInfo(Needs.Program("node"), [script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        // Nobody else is told of it.
        start.Environment["REDOCLY_TELEMETRY"] = "off";
        start.Environment["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true";
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(ApiClient.Token);
            var errors = process.StandardError.ReadToEndAsync(ApiClient.Token);
            await process.WaitForExitAsync(ApiClient.Token);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
    }
}
