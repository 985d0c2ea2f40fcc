using Npgsql;

namespace JobHost.Storage.Postgres;

/// <summary>Where a database is, and which of its schemas is meant.</summary>
internal sealed class PostgresAddress
{
    private const string DefaultSchema = "jobhost";

    private readonly NpgsqlConnectionStringBuilder builder;

    /// <param name="connectionString">Of Npgsql. The schema is the first of its <c>Search Path</c>; default: <c>jobhost</c>.</param>
    /// <exception cref="ArgumentException">It is none.</exception>
    internal PostgresAddress(string connectionString)
    {
        builder = new(connectionString) { Enlist = false };
        Schema = builder.SearchPath?.Split(',')[0].Trim() is { Length: > 0 } first ? first : DefaultSchema;
        builder.SearchPath = Schema;
        builder.ApplicationName ??= "jobhost";
        if (builder.MaxAutoPrepare == 0)
        {
            builder.MaxAutoPrepare = 100;
            builder.AutoPrepareMinUsages = 2;
        }
    }

    internal string Schema { get; }

    /// <summary>Opens a connection that nobody else ever gets: what it holds ends with it.</summary>
    internal NpgsqlConnection Connect()
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(builder.ConnectionString) { Pooling = false }.ConnectionString
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

    /// <summary>Connections that are shared.</summary>
    internal NpgsqlDataSource Pool() => NpgsqlDataSource.Create(builder);

    /// <summary>As messages have it, without what is secret.</summary>
    public override string ToString() => $"'{builder.Database ?? builder.Username}' at {builder.Host}";
}
