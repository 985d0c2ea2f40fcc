using System.Diagnostics;
using System.Globalization;
using JobHost.Server.Tests.Support;
using Npgsql;

namespace JobHost.Tests.Support;

/// <summary>
/// A PostgreSQL server of this test run's own, on a socket in a folder of its own. It ends with this process, whatever that
/// dies of. Without the program the test is skipped.
/// </summary>
public sealed class PostgresServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    // Reads until this process is gone or says so, and takes the server with it.
    private const string EndWithUs = "\"$0\" \"$@\" & read -r _; kill -QUIT $!; wait";

    private static readonly Lazy<PostgresServer> OfThisRun = new(() => new());

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"jobhost-pg-{Guid.NewGuid():N}"[..24]);
    private readonly Process process;
    private int databases;

    private PostgresServer()
    {
        var (initdb, postgres) = (Program("initdb"), Program("postgres"));
        Directory.CreateDirectory(folder);
        var data = Path.Combine(folder, "data");
        if (Environment.IsPrivilegedProcess)
        {
            Run("chown", Account, folder);
        }
        Run([.. AsAccount, initdb, "-D", data, "-U", "jobhost", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        process = Start([
            "/bin/sh",
            "-c",
            EndWithUs,
            .. AsAccount,
            postgres,
            "-D",
            data,
            "-k",
            folder,
            "-c",
            "listen_addresses=",
            // What is tested is what the store asks of the database, not the disk.
            "-c",
            "fsync=off",
            "-c",
            "max_connections=200",
        ]);
        WaitUntilItAnswers();
    }

    /// <summary>The server of this run, started when it is first wanted.</summary>
    public static PostgresServer Shared => OfThisRun.Value;

    /// <summary>Makes a database; the answer is its connection string.</summary>
    public string CreateDatabase()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test{Interlocked.Increment(ref databases)}");
        Execute(ConnectionString("postgres"), $"CREATE DATABASE {name}");
        return ConnectionString(name);
    }

    /// <summary>Runs statements in a database.</summary>
    public static void Execute(string connectionString, string sql)
    {
        using var connection = new NpgsqlConnection(connectionString);
        connection.Open();
#pragma warning disable CA2100 // The test's own text.
        using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>Ends the server of this run, where it was wanted.</summary>
    public static void End()
    {
        if (OfThisRun.IsValueCreated)
        {
            Shared.Dispose();
        }
    }

    public void Dispose()
    {
        if (Directory.Exists(folder))
        {
            process.StandardInput.Close();
            process.WaitForExit();
            Directory.Delete(folder, recursive: true);
        }
    }

    private string ConnectionString(string database) =>
        $"Host={folder};Database={database};Username=jobhost;Pooling=true;Timeout=30;Include Error Detail=true";

    // The server refuses to run as the superuser.
    private static string Account => "nobody";

    private static string[] AsAccount =>
        Environment.IsPrivilegedProcess
            ? [Program("setpriv"), $"--reuid={Account}", "--regid=nogroup", "--clear-groups", "--"]
            : [];

    private static string Program(string name) =>
        // Debian keeps the programs of each version in a folder of its own.
        Directory.Exists("/usr/lib/postgresql")
        && Directory
            .EnumerateDirectories("/usr/lib/postgresql")
            .Select(version => Path.Combine(version, "bin", name))
            .Where(File.Exists)
            .Max()
            is { } found
            ? found
            : Needs.Program(name);

    private void WaitUntilItAnswers()
    {
        for (var began = Stopwatch.GetTimestamp(); ; Thread.Sleep(50))
        {
            try
            {
                Execute(ConnectionString("postgres"), "SELECT 1");
                return;
            }
            catch (NpgsqlException) when (Stopwatch.GetElapsedTime(began) < Patience && !process.HasExited)
            {
                // It is about to.
            }
        }
    }

    private static Process Start(string[] line)
    {
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static void Run(params string[] line)
    {
        using var process = Start(line);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', line)}: {process.ExitCode}");
    }
}
