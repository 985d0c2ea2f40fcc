using System.Text.RegularExpressions;
using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>Where a database is, and which of its schemas is meant.</summary>
internal sealed partial class PostgresAddress
{
    private const string DefaultSchema = "jobhost";

    private readonly NpgsqlConnectionStringBuilder builder;

    /// <param name="connectionString">Of Npgsql. The schema is the first of its <c>Search Path</c>; default: <c>jobhost</c>.</param>
    /// <exception cref="ArgumentException">It is none.</exception>
    internal PostgresAddress(string connectionString)
    {
        builder = new(connectionString) { Enlist = false };
        Schema = builder.SearchPath is { Length: > 0 } path ? FirstOf(path) : DefaultSchema;
        builder.SearchPath = Quoted(Schema);
        builder.ApplicationName ??= "jobhost";
        if (builder.MaxAutoPrepare == 0)
        {
            builder.MaxAutoPrepare = 100;
            builder.AutoPrepareMinUsages = 2;
        }
    }

    internal string Schema { get; }

    /// <summary>Opens a connection that nobody else ever gets: what it holds ends with it.</summary>
    /// <param name="applicationName">What it is known by.</param>
    internal NpgsqlConnection Connect(string? applicationName = null)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(builder.ConnectionString)
            {
                Pooling = false,
                Multiplexing = false,
                ApplicationName = applicationName ?? builder.ApplicationName,
            }.ConnectionString
        );
        try
        {
            connection.Open();
            return connection;
        }
        catch (Exception)
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A name as it is written in a statement.</summary>
    internal static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Connections that are shared.</summary>
    internal NpgsqlDataSource Pool() => NpgsqlDataSource.Create(builder);

    /// <summary>As messages have it, without what is secret.</summary>
    public override string ToString() => $"'{builder.Database ?? builder.Username}' at {builder.Host}";

    /// <summary>The first name of a list as PostgreSQL reads it: in quotes as it stands, otherwise in small letters.</summary>
    private static string FirstOf(string path) =>
        path.TrimStart() is ['"', .. var quoted]
            ? QuotedName().Match(quoted).Value.Replace("\"\"", "\"", StringComparison.Ordinal)
            : path.Split(',')[0].Trim().ToLowerInvariant();

    [GeneratedRegex(
        "^(?:[^\"]|\"\")*",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking
    )]
    private static partial Regex QuotedName();
}
