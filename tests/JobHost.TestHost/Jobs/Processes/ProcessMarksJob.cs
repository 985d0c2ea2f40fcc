using System.Diagnostics;
using System.Runtime.InteropServices;

namespace JobHost.TestHost.Jobs.Processes;

/// <summary>Tells what each way to look at its environment shows: its own code, native code, others, and what it starts.</summary>
internal static unsafe partial class ProcessMarksJob
{
    internal static object Run(string variable)
    {
        var begins = $"{variable}=";
        using var child = Process.Start(new ProcessStartInfo("/usr/bin/env") { RedirectStandardOutput = true })!;
        var ofChild = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return new
        {
            Own = Environment.GetEnvironmentVariable(variable),
            Native = Marshal.PtrToStringUTF8((nint)getenv(variable)),
            Others = Value(File.ReadAllText("/proc/self/environ").Split('\0')),
            Child = Value(ofChild.Split('\n')),
        };

        string? Value(string[] lines) =>
            Array.Find(lines, line => line.StartsWith(begins, StringComparison.Ordinal))?[begins.Length..];
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* getenv(string name);
}
